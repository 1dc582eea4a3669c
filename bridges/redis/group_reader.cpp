#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/group_reader.hpp>

#include <algorithm>
#include <numeric>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/group_consumer.hpp>

namespace actorbus::redis {

namespace {

/// Reads under way while entries abound: the server makes the next reply while this one is taken apart.
constexpr std::size_t most_reads = 2;

/// How long the server may wait for an entry: after it, a group that is gone is found.
constexpr std::chrono::milliseconds block{500};
constexpr std::chrono::milliseconds rest{200};

/// How often a read is ended that the server has not seen yet: it comes by another connection.
constexpr int most_unblocks = 10;

/// A read that may take most of the room is over when claims are due: they need some.
std::chrono::milliseconds until(std::chrono::steady_clock::time_point when) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - std::chrono::steady_clock::now());
  return std::clamp(left, std::chrono::milliseconds{1}, block);
}

bool says(const reply& what, std::string_view text) {
  return what.is_error() && what.text.find(text) != std::string_view::npos;
}

}  // namespace

void append_acknowledgement(std::string& to, const group_names& by, const std::vector<stream_id>& which) {
  command_writer out(to);
  out.begin(3 + which.size()).word("XACK").word(by.key).word(by.group);
  std::string text;
  for (const auto& each : which) {
    text.clear();
    each.append_to(text);
    out.word(text);
  }
}

group_reader::group_reader(bridge_core& of, group_consumer& to) : core_(of), to_(to), later_(of.loop().context()) {}

group_reader::~group_reader() = default;

void group_reader::start() {
  connection_ = core_.connect(*this, "group");
  connection_->start();
}

void group_reader::stop() {
  if (std::exchange(stopped_, true) || !connection_) return;
  later_.cancel();
  core_.forget(*connection_);
  connection_->stop();
}

void group_reader::on_connecting(connection&) { core_.states().connecting(supervisor::role::group, to_.mark()); }

void group_reader::on_open(connection& which) {
  is_open_ = true;
  if (which.number() > 1) to_.hold_claims();
  has_own_ = rests_ = told_ready_ = abounds_ = waits_ = false;
  own_ = {};
  if (has_group_) to_.look_soon();
  pump();
}

void group_reader::on_lost(connection&, const std::string& reason) {
  is_open_ = regroups_ = waits_ = false;
  asked_.clear();
  requested_.clear();
  own_asked_ = 0;
  acknowledging_.clear();
  if (stopped_) return;
  to_.lost_acknowledgements();
  core_.states().lost(supervisor::role::group, reason, to_.mark());
  core_.loop().post([this, alive = std::weak_ptr(connection_)] {
    if (!alive.expired()) to_.look_at_end();
  });
}

void group_reader::on_push(connection& which, const reply&) {
  which.drop("the server sent a message nobody asked for");
}

void group_reader::lost(std::size_t) {}

void group_reader::ask(question what, std::chrono::nanoseconds longer) {
  asked_.push_back(what);
  connection_->expect(*this, 1, longer);
}

void group_reader::pump() {
  if (!is_open_ || rests_ || stopped_ || regroups_) return;
  to_.claim();
  if (is_reading()) return read_ahead();
  const std::size_t room = to_.wants();
  if (room == 0) return;
  if (!has_group_) return create(to_.names().from);
  if (!to_.has_looked()) return;  // it pumps then: what was lost is found before more is read
  if (!has_own_) return ask_own(room);
  read(room);
  read_ahead();
}

std::size_t group_reader::requested() const {
  return std::accumulate(requested_.begin(), requested_.end(), own_asked_);
}

void group_reader::read_ahead() {
  const bool reads_only = asked_.size() == requested_.size() + acknowledging_.size();
  if (!abounds_ || requested_.empty() || requested_.size() >= most_reads || !reads_only) return;
  const std::size_t out = requested_.front();
  const std::size_t room = to_.wants();
  if (room >= out + std::min(size_.get(), to_.half())) read(room - out);
}

void group_reader::acknowledge(std::vector<stream_id> which) {
  append_acknowledgement(connection_->out(), to_.names(), which);
  acknowledging_.push_back(std::move(which));
  ask(question::acknowledge);
}

void group_reader::acknowledged(const reply& what) {
  const auto which = std::move(acknowledging_.front());
  acknowledging_.pop_front();
  to_.acknowledged(which, what);
  pump();
}

void group_reader::flush() {
  if (is_open_) connection_->flush();
}

void group_reader::create(const std::string& from) {
  const auto& names = to_.names();
  append_command(connection_->out(), {"XGROUP", "CREATE", names.key, names.group, from, "MKSTREAM"});
  ask(question::create);
}

void group_reader::created(const reply& what) {
  regroups_ = false;
  if (what.is_error() && !says(what, "BUSYGROUP")) return later(std::string(what.text));
  has_group_ = true;
  to_.look_soon();  // and then it pumps
}

/// Where the group was, as far as is known, if the stream is the same; else at the beginning of the new one.
void group_reader::recreate(const stream_facts& now) {
  const auto place = to_.place_in(now);
  create(place ? place->to_string() : "0");
}

void group_reader::read(std::size_t room) {
  if (!std::exchange(told_ready_, true)) core_.states().ready(supervisor::role::group, to_.mark());
  const auto& names = to_.names();
  // While entries abound no read waits for them, so that acknowledgements may stand behind it; and half of the room is
  // read while the other half is handled.
  waits_ = !abounds_;
  requested_.push_back(std::min({room, size_.get(), abounds_ ? to_.half() : room}));
  const bool leaves_room = room - requested_.back() >= to_.half();
  const auto longest = leaves_room ? block : until(to_.claims_at());
  command_writer out(connection_->out());
  out.begin(waits_ ? 11 : 9).word("XREADGROUP").word("GROUP").word(names.group).word(names.consumer);
  out.word("COUNT").number(static_cast<std::int64_t>(requested_.back()));
  if (waits_) out.word("BLOCK").number(longest.count());
  out.word("STREAMS").word(names.key).word(">");
  ask(question::read, waits_ ? longest : std::chrono::milliseconds{0});
}

void group_reader::take(const reply& what, connection& by) {
  if (asked_.empty()) return;
  const question to = asked_.front();
  asked_.pop_front();
  switch (to) {
    case question::facts:
      found_facts(what);
      break;
    case question::create:
      created(what);
      break;
    case question::own:
      found_own(what);
      break;
    case question::claim:
      claimed_own(what, by);
      break;
    case question::read:
      took(what, by);
      break;
    case question::acknowledge:
      acknowledged(what);
      break;
  }
  to_.look_at_end();  // it may have waited for this reply, whatever it was
}

void group_reader::found_facts(const reply& what) {
  if (!what.is_error() || says(what, "no such key")) return recreate(stream_facts::of(what));
  regroups_ = false;
  later(std::string(what.text));
}

void group_reader::took(const reply& what, connection& by) {
  const std::size_t requested = requested_.front();
  requested_.pop_front();
  abounds_ = waits_ = false;
  if (is_group_missing(what)) return;
  if (what.is_error()) return later(std::string(what.text));
  if (what.is_array()) entries(what, requested, by);
  pump();
}

void group_reader::entries(const reply& what, std::size_t requested, connection& by) {
  if (what.elements.size() != 1 || what.elements[0].elements.size() != 2) return;
  const auto& found = what.elements[0].elements[1].elements;
  const std::shared_ptr<arena> memory = by.take_memory();
  abounds_ = found.size() >= requested;
  size_.came(found.size(), memory->used());
  to_.take_new(found, memory);
  to_.collect();
  pump();
  flush();  // the server reads on while the handlers work
}

/// The stream or the group was deleted: it is made again.
bool group_reader::is_group_missing(const reply& what) {
  if (!says(what, "NOGROUP") && !says(what, "UNBLOCKED")) return false;
  if (std::exchange(regroups_, true)) return true;
  append_command(connection_->out(), {"XINFO", "STREAM", to_.names().key});
  ask(question::facts);
  return true;
}

void group_reader::later(const std::string& why) {
  core_.warn("no group", "cannot consume '" + to_.names().key + "' as group '" + to_.names().group + "': " + why);
  rests_ = true;
  later_.expires_after(rest);
  later_.async_wait([this, alive = std::weak_ptr(connection_)](boost::system::error_code error) {
    if (error || alive.expired() || stopped_) return;
    rests_ = false;
    pump();
  });
  to_.look_at_end();
}

void group_reader::end_reading() { unblock(most_unblocks); }

void group_reader::unblock(int tries) {
  if (!is_reading()) return;
  const auto id = connection_->client_id();
  if (id == 0 || !core_.has_commands()) return;  // the read ends by itself soon
  // A redis-server 7.0 dies of UNBLOCK where a write stands in a pause for writes, and a group's read is one. What
  // writes itself comes only behind the pause.
  auto& out = core_.commands().out();
  append_command(out, {"MULTI"});
  append_command(out, {"XACK", to_.names().key, to_.names().group, "0-0"});
  append_command(out, {"CLIENT", "UNBLOCK", std::to_string(id)});
  append_command(out, {"EXEC"});
  for (int replies = 0; replies < 3; ++replies) expect_once(core_.commands(), [](const reply*) {});
  expect_once(core_.commands(), [this, alive = std::weak_ptr(connection_), tries](const reply* what) {
    if (alive.expired() || what == nullptr || what->elements.size() != 2) return;
    const bool has_overtaken = what->elements[1].integer == 0;
    if (has_overtaken && waits_ && tries > 1) unblock(tries - 1);
  });
}

}  // namespace actorbus::redis
