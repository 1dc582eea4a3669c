// What a bridge asks the server for on behalf of a caller that waits, and what its routes know of a topic.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <future>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/command.hpp>
#include <bridges/redis/connection_pool.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/message_hub.hpp>
#include <bridges/redis/stream_history.hpp>
#include <bus/errors.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

const wire_format* bridge_core::stream_format(std::string_view topic, bool must_go_out) const {
  std::lock_guard lock(mutex_);
  for (const auto& each : routes_) {
    if (each.kind == route_kind::stream && matches(each.pattern, topic) && (!must_go_out || goes_out(each.way)))
      return each.as;
  }
  return nullptr;
}

const wire_format* bridge_core::pubsub_format(std::string_view topic, std::type_index payload) const {
  std::lock_guard lock(mutex_);
  for (const auto& each : routes_) {
    if (each.kind != route_kind::pubsub || !matches(each.pattern, topic) || !goes_out(each.way)) continue;
    if (each.payload == payload) return each.as;
    throw bus_error(errc::type_mismatch, "topic '" + std::string(topic) + "': the pub/sub route '" + each.pattern +
                                             "' that takes it out is of another type");
  }
  return nullptr;
}

void bridge_core::add_history(const std::shared_ptr<stream_history>& which) {
  std::erase_if(histories_, [](const auto& each) { return each.expired(); });
  histories_.push_back(which);
}

bool bridge_core::is_settled(std::string_view topic, std::uint64_t until) {
  return std::all_of(running_.begin(), running_.end(),
                     [&](const auto& each) { return each->is_settled(topic, until); });
}

std::optional<stream_offset> bridge_core::next_of(std::string_view topic) {
  for (const auto& each : running_) {
    if (const auto next = each->next_of(topic)) return next;
  }
  return std::nullopt;
}

const own_entries* bridge_core::own_of(std::string_view topic) {
  for (const auto& each : running_) {
    if (const own_entries* const own = each->own_of(topic)) return own;
  }
  return nullptr;
}

past_fetcher bridge_core::past_of(const wire_format& as) {
  return [weak = weak_from_this(), &as](const history_request& what, past_taker then) {
    stream_history::fetch(weak, as, what, std::move(then));
  };
}

void bridge_core::publish_atomically(const std::vector<message_for_all>& what) {
  static constexpr std::string_view script =
      "for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end return 1";
  const auto call = [&](const std::string& sha) {
    const auto marks = std::make_shared<std::vector<std::pair<std::string, echo_filter::mark>>>();
    ask(
        "publish_all", asked_by::commands,
        [this, what, sha, marks](std::string& to) {
          command_writer out(to);
          out.begin(3 + 2 * what.size()).word("EVALSHA").word(sha).word("0");
          for (const auto& each : what) {
            out.word(each.channel).word(each.message);
            if (std::any_of(each.echoed_by.begin(), each.echoed_by.end(),
                            [&](const auto& by) { return messages().is_confirmed(by); }))
              marks->emplace_back(each.channel, messages().echoes.sent(each.channel, each.message));
          }
        },
        [](const reply&) {}, 1,
        [this, marks](bool was_refused) {
          for (const auto& [channel, mark] : *marks) messages().not_echoed(channel, mark, was_refused);
        });
  };
  std::string sha;
  {
    std::lock_guard lock(mutex_);
    sha = publish_sha_;
  }
  if (!sha.empty()) {
    try {
      return call(sha);
    } catch (const bus_error& error) {
      if (std::string_view(error.what()).find("NOSCRIPT") == std::string_view::npos) throw;
    }
  }
  // The server forgot it, or never knew it.
  const auto loaded = std::make_shared<std::string>();
  ask(
      "publish_all", asked_by::commands,
      [](std::string& to) {
        append_command(to, {"SCRIPT", "LOAD", script});
      },
      [loaded](const reply& answer) { *loaded = answer.text; });
  {
    std::lock_guard lock(mutex_);
    publish_sha_ = *loaded;
  }
  call(*loaded);
}

/// Waits only for a connection that was at rest: one that is lost may be for long.
void bridge_core::when_ready(std::chrono::steady_clock::time_point deadline, bool rests,
                             std::function<void(bool)> then) {
  if (std::chrono::steady_clock::now() >= deadline) return then(false);  // whoever asks has given it up
  if (has_commands()) return then(true);
  if (!rests) return then(false);
  commands_->want();
  auto timer = std::make_shared<boost::asio::steady_timer>(loop_.context(), std::chrono::milliseconds{1});
  timer->async_wait([this, timer, deadline, then = std::move(then)](boost::system::error_code error) mutable {
    if (!error) when_ready(deadline, true, std::move(then));
  });
}

void bridge_core::ask(const std::string& what, asked_by which, const std::function<void(std::string&)>& command,
                      const std::function<void(const reply&)>& take, std::size_t commands,
                      const std::function<void(bool)>& failed) {
  auto promise = std::make_shared<std::promise<void>>();
  auto result = promise->get_future();
  const auto fail = [promise, what, has_failed = std::make_shared<bool>(false)](errc why, const std::string& text) {
    if (std::exchange(*has_failed, true)) return;  // the first reason counts
    promise->set_exception(std::make_exception_ptr(bus_error(why, what + ": " + text)));
  };
  const auto send = [promise, fail, command, take, commands, failed](const std::shared_ptr<connection>& by) {
    if (!by) return fail(errc::not_connected, "there is no connection for requests now");
    command(by->out());
    for (std::size_t left = commands; left-- != 0;) {
      expect_once(*by, [promise, fail, take, by, left, failed](const reply* answer) {
        if (failed && (answer == nullptr || answer->is_error())) failed(answer != nullptr);
        if (answer == nullptr) return fail(errc::not_connected, "the connection was lost before the answer");
        if (answer->is_error()) return fail(errc::refused_by_server, std::string(answer->text));
        if (left != 0) return;
        try {
          take(*answer);
          promise->set_value();
        } catch (...) {
          promise->set_exception(std::current_exception());
        }
      });
    }
  };
  const auto deadline = connection_pool::clock::now() + options_.command_timeout;
  {
    std::lock_guard lock(closing_);
    if (is_closed()) throw bus_error(errc::closed, what + ": the bridge is closed");
    loop_.post([this, fail, send, which, deadline] {
      when_ready(deadline, commands_->rests(), [this, fail, send, which, deadline](bool is_ready) {
        if (!is_ready) return fail(errc::not_connected, "there is no connection to " + where_.describe() + " now");
        if (which == asked_by::commands) return send(commands_);
        pool_->borrow(deadline, send);
      });
    });
  }
  if (result.wait_until(deadline) != std::future_status::ready)
    throw bus_error(errc::timeout, what + ": no answer in time");
  result.get();
}

}  // namespace actorbus::redis
