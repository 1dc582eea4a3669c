#include <bus/log.hpp>

#include <atomic>
#include <thread>

#include "tests/bus/core_fixture.hpp"
#include "tests/bus/counted.hpp"
#include "tests/catch.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using testing::core_fixture;

TEST_CASE("an appended entry is visible once it is published", "[log]") {
  core_fixture<int> f;
  f.append(1);
  CHECK(f.log.end() == 1);
  CHECK(f.log.next() == 2);
  f.log.publish();
  CHECK(f.log.end() == 2);
  CHECK(f.at(1) == 1);
}

TEST_CASE("sequences begin where the log was told and count on", "[log]") {
  auto topic = std::make_shared<core::topic_identity>("t", core::payload_type_of<int>());
  core::log log(topic, 100);
  CHECK(log.first() == 100);
  CHECK(log.begin() == 100);
  CHECK(log.end() == 100);
}

TEST_CASE("append times never decrease, whatever the clock does", "[log]") {
  core_fixture<int> f;
  f.append(1, 50);
  f.append(2, 20);
  f.append(3, 60);
  f.log.publish();
  CHECK(f.time_at(1) == 50);
  CHECK(f.time_at(2) == 50);
  CHECK(f.time_at(3) == 60);
}

TEST_CASE("entries stay readable across many chunks", "[log]") {
  core_fixture<int> f;
  for (int i = 1; i <= 20'000; ++i) f.append(i);
  f.log.publish();
  for (const std::uint64_t s : {1u, 8u, 9u, 4321u, 20'000u}) CHECK(f.at(s) == static_cast<int>(s));
}

TEST_CASE("chunks start small and hold at most 64 KiB, or one event", "[log]") {
  core_fixture<int> f;
  std::size_t room = 0;
  f.log.slots(room);
  CHECK(room == core::log::first_chunk_entries);
  std::size_t largest = 0;
  for (int i = 0; i < 50'000; ++i) {
    f.append(i);
    f.log.slots(room);
    largest = std::max(largest, room);
  }
  CHECK(largest * f.topic->payload.stride <= core::log::max_chunk_bytes);
  CHECK(largest * f.topic->payload.stride > core::log::max_chunk_bytes / 2);
}

TEST_CASE("trimming destroys the payloads that everybody has passed, and no other", "[log]") {
  testing::census census;
  core_fixture<testing::counted> f;
  for (int i = 1; i <= 20; ++i) f.append({census, i});
  f.log.publish();
  f.log.trim(6);
  CHECK(f.log.begin() == 6);
  CHECK(census.living() == 15);
  CHECK(f.at(6).value() == 6);
  f.log.trim(21);
  CHECK(census.living() == 0);
}

TEST_CASE("trimming back does nothing", "[log]") {
  core_fixture<int> f;
  for (int i = 1; i <= 5; ++i) f.append(i);
  f.log.publish();
  f.log.trim(4);
  f.log.trim(2);
  CHECK(f.log.begin() == 4);
}

TEST_CASE("an empty log gives all its memory back, and goes on", "[log]") {
  core_fixture<int> f;
  for (int i = 1; i <= 100; ++i) f.append(i);
  f.log.publish();
  f.log.trim(101);
  std::uint64_t end = 101;
  CHECK(f.log.pin(end).holder() != nullptr);
  f.log.give_back();
  CHECK(f.log.pin(end).holder() == nullptr);
  f.append(101);
  f.log.publish();
  CHECK(f.at(101) == 101);
}

TEST_CASE("a log with entries keeps them when it gives memory back", "[log]") {
  core_fixture<int> f;
  for (int i = 1; i <= 100; ++i) f.append(i);
  f.log.publish();
  f.log.trim(50);
  f.log.give_back();
  CHECK(f.at(50) == 50);
  CHECK(f.at(100) == 100);
}

TEST_CASE("a log that goes destroys what it holds", "[log]") {
  testing::census census;
  {
    core_fixture<testing::counted> f;
    for (int i = 1; i <= 30; ++i) f.append({census, i});
    f.log.publish();
    f.log.trim(10);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("payloads passed in a stream wait for whoever publishes to destroy them", "[log]") {
  testing::census census;
  core_fixture<testing::counted> f;
  for (int i = 1; i <= 30; ++i) f.append({census, i});  // chunks of 8, 16 and 32
  f.log.publish();
  f.log.trim_in_stream(9);
  CHECK(census.living() == 30);
  CHECK(f.log.has_worn());
  CHECK_FALSE(f.log.destroy_worn(3));
  CHECK(census.living() == 27);
  CHECK(f.log.destroy_worn(5));
  CHECK(census.living() == 22);
  CHECK_FALSE(f.log.has_worn());
  CHECK(f.log.destroy_worn(1));
  CHECK(census.living() == 22);
}

TEST_CASE("payloads that nobody destroyed go when the next chunk is passed", "[log]") {
  testing::census census;
  core_fixture<testing::counted> f;
  for (int i = 1; i <= 30; ++i) f.append({census, i});
  f.log.publish();
  f.log.trim_in_stream(9);
  f.log.trim_in_stream(25);
  CHECK(census.living() == 22);
  f.log.give_back();
  CHECK(census.living() == 6);
}

TEST_CASE("a log that goes destroys what waits to be destroyed", "[log]") {
  testing::census census;
  {
    core_fixture<testing::counted> f;
    for (int i = 1; i <= 30; ++i) f.append({census, i});
    f.log.publish();
    f.log.trim_in_stream(9);
    f.log.destroy_worn(2);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("in a stream that writer and publishers tidy up every payload is destroyed once", "[log][stress]") {
  const int count = static_cast<int>(testing::scaled(100'000));
  testing::census census;
  {
    core_fixture<testing::counted> f;
    std::atomic<bool> done{false};
    std::thread publisher([&] {
      while (!done.load(std::memory_order_acquire)) f.log.destroy_worn(3);
    });
    for (int i = 1; i <= count; ++i) {
      f.append({census, i});
      f.log.publish();
      if (i % 5 == 0) f.log.trim_in_stream(static_cast<std::uint64_t>(i - 4));
    }
    done.store(true, std::memory_order_release);
    publisher.join();
    f.log.trim(static_cast<std::uint64_t>(count + 1));
    CHECK(census.living() <= static_cast<int>(core::log::max_chunk_bytes / sizeof(core::entry_of<testing::counted>)));
    f.log.give_back();
    CHECK(census.living() == 0);
  }
  CHECK(census.made() == count);
}

TEST_CASE("a log says whether trimming would destroy something", "[log]") {
  core_fixture<int> trivial;
  CHECK_FALSE(trivial.log.keeps_resources());
  core_fixture<std::string> heavy;
  CHECK(heavy.log.keeps_resources());
}

TEST_CASE("readers see whole entries while the writer appends and trims", "[log][stress]") {
  const int count = static_cast<int>(testing::scaled(100'000));
  core_fixture<std::string> f;
  std::atomic<std::uint64_t> position{1};
  std::atomic<bool> whole{true};
  std::thread reader([&] {
    core::stretch pinned;
    for (std::uint64_t at = 1; at <= static_cast<std::uint64_t>(count);) {
      if (at == f.log.end()) {
        std::this_thread::yield();
        continue;
      }
      if (!pinned.holds(at)) {
        pinned.release();
        std::uint64_t from = at;
        pinned = f.log.pin(from);
      }
      const auto* e = static_cast<const core::entry_of<std::string>*>(pinned.holder()->at(at));
      if (*e->value() != "event number " + std::to_string(at)) whole = false;
      position.store(++at, std::memory_order_release);
    }
  });
  for (int i = 1; i <= count; ++i) {
    f.append("event number " + std::to_string(i));
    if (i % 7 == 0 || i == count) f.log.publish();
    if (i % 50 == 0) f.log.trim(position.load(std::memory_order_acquire));
  }
  reader.join();
  CHECK(whole);
}
