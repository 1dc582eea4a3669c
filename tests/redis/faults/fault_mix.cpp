#include "tests/redis/faults/fault_mix.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace actorbus::testing {

using namespace std::chrono_literals;

namespace {

/// Ends by itself after a third of a second: another fault may hold it up until nobody is there to kill it.
constexpr const char* long_script = R"lua(
local from = redis.call('TIME')
repeat local now = redis.call('TIME')
until (now[1] - from[1]) * 1000000 + now[2] - from[2] > 300000
)lua";

}  // namespace

fault_mix::fault_mix(faults_of which, std::uint64_t seed)
    : which_(which),
      chance_(seed),
      server_({.append_only = true, .debug_command = true, .directives = {"busy-reply-threshold 10"}}) {
  add_server_faults();
  add_odd_entries();
  if (which == faults_of::entries) add_losses();
  if (which != faults_of::receivers) add_refusals();
  if (which == faults_of::everything) add_proxy_faults("the senders' proxy", out_);
  add_proxy_faults("the receivers' proxy", in_);
}

void fault_mix::add(std::string name, std::function<void()> begin, std::function<void()> end) {
  all_.push_back({std::move(name), std::move(begin), std::move(end)});
}

void fault_mix::add_setting(const std::string& name, const std::string& value, const std::string& usual) {
  add(
      name + ' ' + value,
      [=, this] {
        run({"CONFIG", "SET", name, value});
      },
      [=, this] {
        run({"CONFIG", "SET", name, usual});
      });
}

void fault_mix::run(const std::vector<std::string>& command) {
  if (!server_.running() || suspended_) return;
  try {
    redis_client(server_).run(command);
  } catch (const std::runtime_error&) {  // another fault forbids it: who has no password is cut off for much data
  }
}

void fault_mix::add_server_faults() {
  add(
      "killed",
      [this] {
        server_.kill();
        suspended_ = false;
      },
      [this] {
        if (!server_.running()) server_.start();
      });
  add(
      "killed, and loading",
      [this] {
        server_.kill();
        suspended_ = false;
        server_.start({"key-load-delay 100"}, server_is::listening);  // for each command, and it listens each 1,024
      },
      [this] { load(); });
  add("CLIENT KILL", [this] { run({"CLIENT", "KILL", "SKIPME", "yes"}); });
  add("CLIENT PAUSE", [this] { run({"CLIENT", "PAUSE", "100"}); });
  add("CLIENT PAUSE WRITE", [this] { run({"CLIENT", "PAUSE", "100", "WRITE"}); });
  add("DEBUG SLEEP", [this] { run({"DEBUG", "SLEEP", "0.1"}); });
  add("SCRIPT FLUSH", [this] { run({"SCRIPT", "FLUSH"}); });
}

/// Waits until the server has its data, if it runs.
void fault_mix::load() {
  run({"CONFIG", "SET", "key-load-delay", "0"});
  if (server_.running() && !suspended_) server_.wait_until(server_is::ready);
}

void fault_mix::lock_out() {
  run({"ACL", "SETUSER", "default", "resetpass", ">another"});
  run({"CLIENT", "KILL", "SKIPME", "yes"});
}

void fault_mix::let_in() {
  if (!server_.running() || suspended_) return;
  try {
    redis_client as_admin(server_);
    as_admin.run("AUTH", "default", "another");  // any password, where none is needed
    as_admin.run("ACL", "SETUSER", "default", "nopass");
  } catch (const redis_error&) {  // another fault forbids it
  }
}

/// None of them is an event of ours: each is set aside, by a group as a dead letter.
void fault_mix::add_odd_entries() {
  const std::string binary("\r\n\0\xff$5\r\n", 8);
  using words = std::vector<std::string>;
  for (const auto& [name, fields] :
       {std::pair{"no payload", words{"channel", "x"}}, std::pair{"an empty payload", words{"data", ""}},
        std::pair{"a binary one", words{"data", binary, binary, binary}},
        std::pair{"a large one", words{"extra", "", "data", std::string(1 << 20, 'h')}},
        std::pair{"a bad stamp", words{"data", "24 bytes as a parcel has", "actorbus", "1 x"}},
        std::pair{"a bad run", words{"packed",
                                     "\xff"
                                     "abp\x7f"}}}) {
    add(std::string("odd: ") + name, [this, fields = fields] {
      for (const std::string key : {"t:s.1", "t:d.1", "t:g.1", "t:b.1", "t:p.1"}) {
        words command{"XADD", key, "NOMKSTREAM", "*"};
        command.insert(command.end(), fields.begin(), fields.end());
        run(command);
      }
      for (const std::string channel : {"t:n.1", "t:b.1", "t:p.1", "t:r.1"}) run({"PUBLISH", channel, fields.back()});
    });
  }
}

void fault_mix::add_refusals() {
  add(
      "suspended",
      [this] {
        if (!server_.running()) return;
        server_.suspend();
        suspended_ = true;
      },
      [this] {
        if (std::exchange(suspended_, false)) server_.resume();
      });
  // Of a master that does not exist: it keeps its data.
  add(
      "READONLY",
      [this] {
        run({"REPLICAOF", "127.0.0.1", "1"});
      },
      [this] {
        run({"REPLICAOF", "NO", "ONE"});
      });
  add(
      "MASTERDOWN",
      [this] {
        run({"CONFIG", "SET", "replica-serve-stale-data", "no"});
        run({"REPLICAOF", "127.0.0.1", "1"});
      },
      [this] {
        run({"REPLICAOF", "NO", "ONE"});
        run({"CONFIG", "SET", "replica-serve-stale-data", "yes"});
      });
  add(
      "a wrong password", [this] { lock_out(); }, [this] { let_in(); });
  add(
      "BUSY", [this] { begin_script(); },
      [this] {
        run({"SCRIPT", "KILL"});
        script_.reset();
      });
  for (const std::string command :
       {"xread", "xreadgroup", "xinfo", "xack", "xpending", "xclaim", "eval", "script", "xgroup"}) {
    add(
        "ACL -" + command,
        [this, command] {
          run({"ACL", "SETUSER", "default", "-" + command});
        },
        [this] {
          run({"ACL", "SETUSER", "default", "+@all"});
        });
  }
  add_setting("maxmemory", "1", "0");
  add_setting("min-replicas-to-write", "1", "0");
}

void fault_mix::begin_script() {
  if (!server_.running() || suspended_) return;
  try {
    script_ = std::make_unique<redis_client>(server_);
    script_->send({"EVAL", long_script, "0"});
    script_->read_within(0ms);           // sends it
  } catch (const std::runtime_error&) {  // another fault forbids it
  }
}

void fault_mix::add_losses() {
  add("FLUSHALL", [this] { run({"FLUSHALL"}); });
  add("DEL", [this] { run({"DEL", "t:s.1", "t:d.1", "t:g.1"}); });
  add("XTRIM", [this] {
    run({"XTRIM", "t:s.2", "MAXLEN", "0"});
    run({"XTRIM", "t:d.2", "MAXLEN", "0"});
    run({"XTRIM", "t:g.2", "MAXLEN", "0"});
  });
  add("XGROUP DESTROY", [this] { run({"XGROUP", "DESTROY", "t:g.2", "g"}); });
}

void fault_mix::add_proxy_faults(const std::string& name, proxy& at) {
  const auto more = [&](const std::string& what, std::function<void()> begin, std::function<void()> end) {
    add(name + " " + what, std::move(begin), std::move(end));
  };
  const auto nothing = [] {};
  const auto back = [&at] {
    at.cut();  // what half-open connections hold does not come any more
    at.resume();
  };
  more(
      "cuts", [&at] { at.cut(); }, nothing);
  more(
      "cuts in a reply", [this, &at] { at.cut_after(any(300)); }, nothing);
  more(
      "stalls", [&at] { at.stall(); }, back);
  more(
      "stalls replies", [&at] { at.stall(forwarding::replies); }, back);
  more(
      "sends garbage", [this, &at] { at.replace_next_reply(std::string(any(300) + 1, '\xf0')); }, nothing);
  more(
      "delays", [&at] { at.delay(20ms); }, [&at] { at.delay(0ms); });
  more(
      "refuses",
      [&at] {
        at.refuse_connections();
        at.cut();
      },
      [&at] { at.accept_connections(); });
}

void fault_mix::round(const std::function<void()>& meanwhile) {
  std::vector<const fault*> now;
  const std::size_t most = 1 + any(3);
  while (now.size() < most) {
    const fault* one = &all_[any(all_.size())];
    if (std::find(now.begin(), now.end(), one) == now.end()) now.push_back(one);
  }
  for (const auto* each : now) {
    story_ += each->name + "; ";
    each->begin();
  }
  meanwhile();
  std::shuffle(now.begin(), now.end(), chance_);
  for (const auto* each : now) each->end();
  // What could not be undone while the server was away, or refused it.
  let_in();
  load();
  run({"SCRIPT", "KILL"});
  run({"ACL", "SETUSER", "default", "+@all"});
  for (const auto& [name, usual] : {std::pair{"maxmemory", "0"}, {"min-replicas-to-write", "0"}}) {
    run({"CONFIG", "SET", name, usual});
  }
  run({"REPLICAOF", "NO", "ONE"});
  run({"CONFIG", "SET", "replica-serve-stale-data", "yes"});
  story_ += '\n';
}

}  // namespace actorbus::testing
