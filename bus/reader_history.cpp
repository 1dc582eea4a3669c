// How a reader asks for what is older than the log, and what it tells of the log for that.
#include <exception>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/event.hpp>
#include <bus/history_source.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>

namespace actorbus::core {

namespace {

/// What history_request::look does for a cursor that has replayed nothing yet: what it will replay stays pinned, for
/// the log may let it go meanwhile; then the log.
auto look_of(const cursor& at) {
  auto older = std::make_shared<std::vector<replayed>>();
  for (const auto& each : at.older) {
    each.pinned.holder()->pin();
    older->push_back({stretch(each.pinned.holder(), each.first), each.first, each.past});
  }
  return [older, topic = std::weak_ptr(at.shared_topic()),
          live = at.live_start()](const std::function<bool(const metadata&)>& take) {
    for (const auto& each : *older) {
      if (!look_at(*each.pinned.holder(), each.first, each.past, take)) return;
    }
    if (const auto living = topic.lock()) living->look_at_log(live, take);
  };
}

}  // namespace

void reader::ask_history(cursor& at) {
  auto source = std::exchange(at.history, nullptr);
  history_request request{at.topic().name(), at.from(), at.replay_left(), std::nullopt, at.live_start(), {}};
  if (!at.older.empty()) {
    const replayed& oldest = at.older.front();
    request.until = oldest.first;
    const entry_view view{oldest.pinned.holder(), oldest.pinned.holder()->at(oldest.first), oldest.first};
    request.before = {view.sequence, view.time(), view.headers(), view.origin(), view.origin_sequence()};
  }
  request.look = look_of(at);
  // The cursor stays marked ready, so nobody else makes it ready meanwhile.
  std::shared_ptr<cursor> kept;
  for (auto& each : cursors()) {
    if (each.get() == &at) kept = each;
  }
  if (!kept) return;
  // Weak: a source that never answers keeps nothing alive.
  const auto done = [to = std::weak_ptr(kept)](std::vector<replayed> earlier) {
    const auto waiting = to.lock();
    if (!waiting || waiting->is_detached()) return;
    waiting->add_older(std::move(earlier));
    waiting->reader().make_ready(*waiting);
  };
  try {
    source->fetch(request, done);
  } catch (...) {  // it has not answered and will not
    bus_->report_failure("history source of topic '" + request.topic + "'", std::current_exception());
    done({});
  }
}

}  // namespace actorbus::core
