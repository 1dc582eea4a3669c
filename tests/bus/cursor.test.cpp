#include <bus/cursor.hpp>

#include <bus/inbox_core.hpp>
#include <bus/topic_core.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using testing::manual_bus;

namespace {

/// A topic of capacity 100 and an inbox as the reader: cursors between them, attached to neither.
struct between {
  std::shared_ptr<core::cursor> make(overflow how, std::size_t capacity = 0, replay from = replay::live()) {
    return std::make_shared<core::cursor>(topic, reader, core::cursor::limits{how, capacity}, from);
  }
  std::shared_ptr<core::cursor> live_at(std::uint64_t position, overflow how, std::size_t capacity = 0) {
    auto fresh = make(how, capacity);
    fresh->start({}, position, 0);
    return fresh;
  }

  manual_bus m;
  actorbus::topic<int> handle = m.bus.topic<int>("read", {.capacity = 100});
  std::shared_ptr<core::topic_core> topic = m.bus.core()->topics().find("read");
  std::shared_ptr<core::reader> reader = std::make_shared<core::inbox_core>(
      m.bus.core(), core::reader::settings{"", "read", replay::live(), overflow::block, 0, {}});
};

core::replayed older(std::uint64_t first, std::uint64_t past) { return {{}, first, past}; }

}  // namespace

TEST_CASE("a blocking cursor limits what may be appended, others do not", "[cursor]") {
  between b;
  CHECK(b.live_at(10, overflow::block, 5)->append_limit() == 15);
  for (const auto how : {overflow::drop_oldest, overflow::latest, overflow::disconnect}) {
    CHECK(b.live_at(10, how, 5)->append_limit() == core::cursor::unlimited);
  }
}

TEST_CASE("a detached cursor limits nothing any more", "[cursor]") {
  between b;
  auto c = b.live_at(10, overflow::block, 5);
  c->detach();
  CHECK(c->is_detached());
  CHECK(c->append_limit() == core::cursor::unlimited);
}

TEST_CASE("a capacity of 0 is the topic's, also when the topic gets another one", "[cursor]") {
  between b;
  auto follows = b.make(overflow::block);
  auto own = b.make(overflow::block, 7);
  CHECK(follows->capacity() == 100);
  follows->follow_capacity(50);
  own->follow_capacity(50);
  CHECK(follows->capacity() == 50);
  CHECK(own->capacity() == 7);
}

TEST_CASE("a blocking cursor keeps everything from its position on", "[cursor]") {
  between b;
  CHECK(b.live_at(10, overflow::block, 5)->floor(1000) == 10);
}

TEST_CASE("any other cursor keeps no more than its capacity", "[cursor]") {
  between b;
  auto c = b.live_at(10, overflow::drop_oldest, 5);
  CHECK(c->floor(12) == 10);
  CHECK(c->floor(100) == 95);
  CHECK(b.live_at(10, overflow::drop_oldest, 500)->floor(100) == 10);
}

TEST_CASE("latest keeps one event", "[cursor]") {
  between b;
  auto c = b.live_at(10, overflow::latest, 64);
  CHECK(c->capacity() == 1);
  CHECK(c->floor(100) == 99);
}

TEST_CASE("advancing moves the limits", "[cursor]") {
  between b;
  auto c = b.live_at(10, overflow::block, 5);
  c->advance(13);
  CHECK(c->position() == 13);
  CHECK(c->append_limit() == 18);
  CHECK(c->floor(18) == 13);
}

TEST_CASE("a cursor is handed to its reader once until it rests", "[cursor]") {
  between b;
  auto c = b.live_at(1, overflow::block);
  CHECK(c->mark_ready());
  CHECK_FALSE(c->mark_ready());
  CHECK(c->is_ready());
  c->rest();
  CHECK(c->mark_ready());
}

TEST_CASE("a cursor that was not started has no place yet", "[cursor]") {
  between b;
  auto c = b.make(overflow::block);
  CHECK_FALSE(c->is_started());
  c->start({}, 4, 0);
  CHECK(c->is_started());
  CHECK(c->live_start() == 4);
  CHECK(c->position() == 4);
}

TEST_CASE("what is replayed is counted as offered and not as lag", "[cursor]") {
  between b;
  auto c = b.make(overflow::block, 0, replay::all());
  std::vector<core::replayed> replay;
  replay.push_back(older(5, 8));
  replay.push_back(older(8, 10));
  c->start(std::move(replay), 10, 0);
  CHECK(c->counts.before_live == 5);
  CHECK(c->replay_left() == 5);
  CHECK(c->position() == 10);
  CHECK(c->tells_caught_up);
  CHECK_FALSE(c->has_replayed());
  for (int i = 0; i < 3; ++i) c->advance_replay();
  ++c->next_older;
  for (int i = 0; i < 2; ++i) c->advance_replay();
  CHECK(c->has_replayed());
}

TEST_CASE("what was trimmed before its start is offered and dropped", "[cursor]") {
  between b;
  auto c = b.make(overflow::block, 0, replay::after(1));
  c->start({}, 10, 3);
  CHECK(c->trimmed == 3);
  CHECK(c->counts.before_live == 3);
  CHECK(c->counts.dropped == 3);
}

TEST_CASE("events from a history source come before what the log still had", "[cursor]") {
  between b;
  auto c = b.make(overflow::block, 0, replay::all());
  std::vector<core::replayed> replay;
  replay.push_back(older(5, 8));
  c->start(std::move(replay), 8, 0);
  std::vector<core::replayed> earlier;
  earlier.push_back({{}, 1, 3, false});
  c->add_older(std::move(earlier));
  REQUIRE(c->older.size() == 2);
  CHECK_FALSE(c->older.front().numbered);
  CHECK(c->replay_left() == 5);
  CHECK(c->counts.before_live == 5);
}
