#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/stream_reader.hpp>

#include <algorithm>

#include <bridges/redis/command.hpp>

namespace actorbus::redis {

namespace {

/// Beyond so much the topics are busy for a while, and the next read is asked for first.
constexpr std::size_t much = std::size_t{128} * 1024;

/// How long the server may wait for an entry: after it, deleted streams are found.
constexpr std::chrono::milliseconds block{500};
constexpr std::chrono::milliseconds rest{500};

}  // namespace

stream_reader::stream_reader(bridge_core& of)
    : core_(of), connection_(of.connect(*this, "reading")), later_(of.loop().context()) {
  connection_->start();
}

stream_reader::~stream_reader() = default;

void stream_reader::add(const std::shared_ptr<stream_feed>& which) {
  feeds_[which->key()] = which;
  if (is_open_) which->begin(*connection_);
  interrupt();
}

void stream_reader::remove(const std::shared_ptr<stream_feed>& which) {
  connection_->forget(*which);
  const auto found = feeds_.find(which->key());
  if (found == feeds_.end() || found->second != which) return;
  feeds_.erase(found);
  tell_ready();
}

void stream_reader::stop() {
  stopped_ = true;
  later_.cancel();
  connection_->stop();
}

void stream_reader::tell_ready() {
  const bool all =
      std::all_of(feeds_.begin(), feeds_.end(), [](const auto& each) { return each.second->is_begun_or_broken(); });
  if (is_open_ && all) core_.states().ready(supervisor::role::reading);
}

void stream_reader::on_connecting(connection&) { core_.states().connecting(supervisor::role::reading); }

void stream_reader::on_open(connection&) {
  is_open_ = true;
  for (const auto& [key, each] : feeds_) each->begin(*connection_);
  pump();
}

void stream_reader::on_lost(connection&, const std::string& reason) {
  is_open_ = reads_ = false;
  in_read_.clear();
  for (const auto& [key, each] : feeds_) each->on_lost();
  core_.states().lost(supervisor::role::reading, reason);
}

void stream_reader::on_push(connection& which, const reply&) {
  which.drop("the server sent a message nobody asked for");
}

void stream_reader::pump() {
  tell_ready();
  if (!is_open_ || reads_ || stopped_) return;
  std::vector<std::shared_ptr<stream_feed>> from;
  for (const auto& [key, each] : feeds_) {
    if (each->wants_more()) from.push_back(each);
  }
  if (!from.empty()) read(std::move(from));
}

void stream_reader::read(std::vector<std::shared_ptr<stream_feed>> from) {
  command_writer out(connection_->out());
  out.begin(6 + 2 * from.size()).word("XREAD").word("COUNT").number(static_cast<std::int64_t>(size_.get()));
  out.word("BLOCK").number(block.count()).word("STREAMS");
  for (const auto& each : from) out.word(each->key());
  for (const auto& each : from) out.word(each->begin_read().to_string());
  for (const auto& each : from) out.begin(3).word("XINFO").word("STREAM").word(each->key());
  reads_ = awaits_entries_ = true;
  was_refused_ = abounds_ = false;
  in_read_ = std::move(from);
  looked_at_ = 0;
  connection_->expect(*this, 1 + in_read_.size(), block);
}

void stream_reader::take(const reply& what, connection& by) {
  if (std::exchange(awaits_entries_, false)) {
    was_refused_ = what.is_error();
    if (was_refused_) core_.warn("read refused", "the server refused to read streams: " + std::string(what.text));
    if (what.is_array()) keep(what, by);
    return;
  }
  const auto& which = in_read_[looked_at_++];
  if (const auto found = feeds_.find(which->key()); found != feeds_.end() && found->second == which) which->look(what);
  if (looked_at_ == in_read_.size()) read_is_over();
}

void stream_reader::keep(const reply& what, connection& by) {
  std::size_t most = 0;
  const std::shared_ptr<arena> memory = by.take_memory();
  for (const reply& each : what.elements) {
    if (each.elements.size() != 2) continue;
    const auto found = feeds_.find(std::string(each.elements[0].text));
    if (found == feeds_.end()) continue;
    most = std::max(most, each.elements[1].elements.size());
    found->second->keep(each.elements[1].elements, memory);
  }
  abounds_ = most >= size_.get() || memory->used() > much;
  size_.came(most, memory->used());
}

void stream_reader::read_is_over() {
  reads_ = false;
  const auto fed = std::exchange(in_read_, {});
  if (was_refused_) {
    look_again();
  } else if (abounds_) {
    pump();  // one ahead: the server reads while the topics take what is here
    connection_->flush();
  }
  for (const auto& each : fed) each->hand_on();
  // What little came was all there was: it goes on first, and the next reply has more of a stream that flows. A read
  // that was refused because of one stream is asked for again without it.
  const bool is_explained = std::any_of(fed.begin(), fed.end(), [](const auto& each) { return each->is_broken(); });
  if (!was_refused_ || is_explained) pump();
}

void stream_reader::lost(std::size_t) {}

void stream_reader::interrupt() {
  if (!reads_) return pump();
  const auto wanting = static_cast<std::size_t>(
      std::count_if(feeds_.begin(), feeds_.end(), [](const auto& each) { return each.second->wants_more(); }));
  if (wanting <= in_read_.size() && feeds_.size() <= in_read_.size()) return;
  core_.unblock(*connection_);
}

void stream_reader::broken(stream_feed& which, const std::string& why) {
  core_.warn("unreadable stream", "cannot read the stream '" + which.key() + "': " + why);
  look_again();
  tell_ready();
}

void stream_reader::look_again() {
  later_.expires_after(rest);
  later_.async_wait([this, alive = std::weak_ptr(connection_)](boost::system::error_code error) {
    if (error || alive.expired() || !is_open_) return;
    for (const auto& [key, each] : feeds_) each->begin(*connection_);
    pump();
  });
}

}  // namespace actorbus::redis
