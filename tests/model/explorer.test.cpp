#include "tests/model/explorer.hpp"

#include "tests/catch.hpp"
#include "tests/model/tso_memory.hpp"

using namespace actorbus::model;

namespace {

/// Two threads: each stores its own flag, then loads the other's. What every lost wake-up comes down to.
struct store_buffering {
  static constexpr std::size_t threads = 2;
  tso_memory<2, 2> memory;
  std::uint8_t fenced = 0;
  std::uint8_t at[2] = {0, 0};
  std::uint8_t saw[2] = {0, 0};

  const char* step(std::size_t t) {
    switch (at[t]) {
      case 0:
        memory.store(t, t, 1);
        return ++at[t], "store";
      case 1:
        if (fenced != 0 && !memory.is_drained(t)) return nullptr;
        return ++at[t], "fence";
      case 2:
        saw[t] = static_cast<std::uint8_t>(memory.load(t, 1 - t));
        return ++at[t], "load";
      default:
        return nullptr;
    }
  }
  const char* wrong() const { return nullptr; }
  const char* wrong_at_end() const { return saw[0] == 0 && saw[1] == 0 ? "neither saw the other" : nullptr; }
};

/// One writes data, then a flag; the other waits for the flag, then reads the data.
struct message_passing {
  static constexpr std::size_t threads = 2;
  tso_memory<2, 2> memory;
  std::uint8_t at[2] = {0, 0};
  std::uint8_t stale = 0;

  const char* step(std::size_t t) {
    if (t == 0) {
      if (at[0] > 1) return nullptr;
      memory.store(0, at[0], 1);
      return ++at[0], "store";
    }
    if (at[1] == 0) {
      if (memory.load(1, 1) == 0) return nullptr;
      return ++at[1], "load the flag";
    }
    if (at[1] > 1) return nullptr;
    stale = memory.load(1, 0) == 0;
    return ++at[1], "load the data";
  }
  const char* wrong() const { return stale != 0 ? "the data came after the flag" : nullptr; }
  const char* wrong_at_end() const { return at[1] == 2 ? nullptr : "the flag was never seen"; }
};

/// Two threads add 1 to a number, by a read-modify-write or by a load and a store.
struct counting {
  static constexpr std::size_t threads = 2;
  tso_memory<2, 1> memory;
  std::uint8_t atomic = 0;
  std::uint8_t at[2] = {0, 0};
  std::uint8_t read[2] = {0, 0};

  const char* step(std::size_t t) {
    if (at[t] == 2) return nullptr;
    if (atomic != 0) {
      if (!memory.is_drained(t)) return nullptr;
      ++memory[0];
      return at[t] = 2, "fetch_add";
    }
    if (at[t]++ == 0) return read[t] = static_cast<std::uint8_t>(memory.load(t, 0)), "load";
    return memory.store(t, 0, read[t] + 1), "store";
  }
  const char* wrong() const { return nullptr; }
  const char* wrong_at_end() const { return memory[0] == 2 ? nullptr : "an addition was lost"; }
};

}  // namespace

TEST_CASE("the explorer finds that without a fence a load overtakes a store", "[model]") {
  const finding found = explore(store_buffering{});
  CHECK(found.wrong == "neither saw the other");
  CHECK(found.story.size() >= 4);
}

TEST_CASE("the explorer finds that with a fence it does not", "[model]") {
  const finding found = explore(store_buffering{.memory = {}, .fenced = 1});
  CHECK(found.told() == "");
  CHECK(found.ends == 3);  // each saw the other, or one did
}

TEST_CASE("stores become visible in their order", "[model]") { CHECK(explore(message_passing{}).told() == ""); }

TEST_CASE("the explorer finds a lost addition, and none where it is atomic", "[model]") {
  CHECK(explore(counting{}).wrong == "an addition was lost");
  CHECK(explore(counting{.memory = {}, .atomic = 1}).told() == "");
}

TEST_CASE("a thread sees its own stores before others do", "[model]") {
  tso_memory<2, 1> memory;
  memory.store(0, 0, 7);
  CHECK(memory.load(0, 0) == 7);
  CHECK(memory.load(1, 0) == 0);
  CHECK_FALSE(memory.is_drained(0));
  CHECK(memory.drain_one(0));
  CHECK(memory.load(1, 0) == 7);
  CHECK_FALSE(memory.drain_one(0));
}
