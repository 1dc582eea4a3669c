#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/connection.hpp>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <initializer_list>

#include <bridges/redis/connection_link.hpp>
#include <bridges/redis/reused.hpp>

namespace actorbus::redis {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t read_size = std::size_t{64} * 1024;
constexpr std::size_t parse_size = std::size_t{16} * 1024;
constexpr int reads_in_a_row = 8;

class nobody final : public reply_sink {
  void take(const reply&, connection&) override {}
  void lost(std::size_t) override {}
};

/// Has the place of those whose answers are the owner's.
reply_sink& pushes() {
  static nobody any;
  return any;
}

bool is_one_of(const reply& what, std::initializer_list<std::string_view> kinds) {
  if (!what.is_array() || what.elements.size() < 3) return false;
  return std::find(kinds.begin(), kinds.end(), what.elements[0].text) != kinds.end();
}

}  // namespace

connection::connection(io_loop& loop, const uri& where, session_settings with, retry_schedule retries,
                       connection_owner& owner, bool subscribes)
    : loop_(loop),
      where_(where),
      session_(std::move(with), std::move(retries)),
      owner_(&owner),
      subscribes_(subscribes),
      timer_(loop.context()),
      resolver_(loop.context()),
      received_(read_size) {}

void connection::start() {
  session_.start();
  drive();
}

void connection::stop() {
  session_.stop();
  drive();
}

void connection::drop(const std::string& reason) {
  if (link_) lose(reason);
  drive();
}

void connection::want() {
  session_.wanted();
  drive();
}

void connection::drive() {
  using kind = session_action::kind;
  for (;;) {
    auto action = session_.next(clock::now());
    switch (action.what) {
      case kind::wait:
        return arm();
      case kind::connect:
        owner_->on_connecting(*this);
        open();
        break;
      case kind::send:
        out_ += action.bytes;
        await(nullptr, action.replies);
        plan_flush();
        break;
      case kind::open:
        ++counts_.made;
        owner_->on_open(*this);
        break;
      case kind::drop:
        lose(action.text);
        break;
      case kind::end:
        timer_.cancel();
        resolver_.cancel();
        close_link();
        owner_->on_stopped(*this);
        return;
    }
  }
}

void connection::arm() {
  const auto when = session_.wake_at();
  if (when >= armed_) return;  // it looks then, and sees how long it still may sleep
  armed_ = when;
  timer_.expires_at(when);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->armed_ = clock::time_point::max();
    self->drive();
  });
}

void connection::fail(const std::shared_ptr<link>& on, const std::string& reason) {
  if (link_ != on) return;
  lose(reason);
  drive();
}

void connection::lose(const std::string& reason) {
  const bool was_up = session_.is_ready() || in_flight_ != 0;
  session_.disconnected(reason, clock::now());
  session_.left_behind(std::exchange(address_, {}));
  close_link();
  empty_for_reuse(out_);
  empty_for_reuse(sending_);
  sent_ = 0;
  awaits_room_ = false;
  in_flight_ = 0;
  const bool is_over = session_.is_stopping();
  if (was_up && !is_over && !session_.rests()) ++counts_.lost;
  for (auto gone = std::exchange(awaited_, {}); const auto& each : gone) {
    if (each.to != nullptr) each.to->lost(each.count);
  }
  if (!is_over) owner_->on_lost(*this, reason);
}

void connection::await(reply_sink* to, std::size_t count) {
  if (count == 0) return;
  in_flight_ += count;
  counts_.commands += count;
  if (!awaited_.empty() && awaited_.back().to == to) {
    awaited_.back().count += count;
  } else {
    awaited_.push_back({to, count});
  }
}

void connection::expect(reply_sink& to, std::size_t commands, std::chrono::nanoseconds longer) {
  await(&to, commands);
  session_.sent(clock::now(), longer);
  plan_flush();
}

void connection::forget(const reply_sink& whom) {
  static nobody any;
  for (auto& each : awaited_) {
    if (each.to == &whom) each.to = &any;
  }
}

void connection::expect_pushes(std::size_t commands) {
  if (commands != 0) expect(pushes(), commands);
}

void connection::plan_flush() {
  if (flush_planned_ || awaits_room_) return;
  flush_planned_ = true;
  asio::post(loop_.context(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flush_planned_ = false;
    self->flush();
    self->drive();
  });
}

void connection::flush() {
  while (link_ && !awaits_room_) {
    if (sent_ == sending_.size()) {
      empty_for_reuse(sending_);
      sent_ = 0;
      if (out_.empty()) return;
      sending_.swap(out_);
    }
    error_code error;
    const std::size_t gone =
        link_->socket.write_some(asio::buffer(sending_.data() + sent_, sending_.size() - sent_), error);
    sent_ += gone;
    counts_.bytes_out += gone;
    if (!error) continue;
    if (error != asio::error::would_block && error != asio::error::try_again) {
      return fail(link_, "lost the connection while writing: " + error.message());
    }
    awaits_room_ = true;
    link_->socket.async_wait(connection::link::wait_write, [weak = weak_from_this(), on = link_](error_code failed) {
      const auto self = weak.lock();
      if (!self || self->link_ != on) return;
      self->awaits_room_ = false;
      if (failed) return self->fail(on, "lost the connection: " + failed.message());
      self->session_.heard(clock::now());  // a large command takes its time: room is a sign of life
      self->flush();
    });
  }
}

void connection::wait_to_read(const std::shared_ptr<link>& on) {
  on->socket.async_wait(connection::link::wait_read, [weak = weak_from_this(), on](error_code error) {
    const auto self = weak.lock();
    if (!self || self->link_ != on) return;
    if (error) return self->fail(on, "lost the connection: " + error.message());
    self->read(on);
  });
}

void connection::read(const std::shared_ptr<link>& on) {
  for (int i = 0; i < reads_in_a_row; ++i) {
    error_code error;
    const std::size_t size = on->socket.read_some(asio::buffer(received_), error);
    if (error == asio::error::would_block || error == asio::error::try_again) break;
    if (error) {
      return fail(on, error == asio::error::eof ? "the server closed the connection"
                                                : "lost the connection while reading: " + error.message());
    }
    counts_.bytes_in += size;
    session_.heard(clock::now());
    // In small pieces: hiredis' reader moves what it has not yet read whenever it has read a kilobyte.
    for (std::size_t at = 0; at < size; at += parse_size) {
      reader_.feed({received_.data() + at, std::min(parse_size, size - at)});
      while (const reply* what = reader_.next()) {
        dispatch(*what);
        if (link_ != on) return;
      }
      if (!reader_.error().empty()) return fail(on, reader_.error());
    }
    if (size < received_.size()) break;
  }
  wait_to_read(on);
  drive();
}

void connection::dispatch(const reply& what) {
  if (subscribes_ && session_.is_ready() && is_one_of(what, {"message", "pmessage"})) {
    return owner_->on_push(*this, what);
  }
  if (awaited_.empty()) {
    if (what.is_error()) return fail(link_, std::string(what.text));  // too many clients, and the like
    return fail(link_, "the server answered a command that was not sent");
  }
  reply_sink* const to = awaited_.front().to;
  if (--awaited_.front().count == 0) awaited_.pop_front();
  if (--in_flight_ == 0) session_.settled();
  if (to == &pushes()) return take_confirmation(what);
  if (to != nullptr) return to->take(what, *this);
  session_.answered(what, clock::now());
  if (!session_.is_ready()) drive();
}

void connection::take_confirmation(const reply& what) {
  if (!what.is_error() && !is_one_of(what, {"subscribe", "unsubscribe", "psubscribe", "punsubscribe"})) {
    return fail(link_, "the server answered a subscription with something else");
  }
  owner_->on_push(*this, what);
}

}  // namespace actorbus::redis
