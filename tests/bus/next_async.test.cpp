// co_await inbox.next_async()
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "tests/bus/manual_bus.hpp"
#include "tests/catch.hpp"
#include "tests/stress.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;

namespace {

/// A coroutine that starts at once; its future tells the end.
struct task {
  struct promise_type {
    std::promise<void> ended;
    task get_return_object() { return {ended.get_future()}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() { ended.set_value(); }
    void unhandled_exception() { ended.set_exception(std::current_exception()); }
  };

  std::future<void> ended;

  bool ends() { return ended.wait_for(20s) == std::future_status::ready; }
  bool has_ended() { return ended.wait_for(0s) == std::future_status::ready; }
};

/// A thread that runs what it is given.
class loop {
 public:
  ~loop() {
    post(nullptr);
    thread_.join();
  }
  void post(std::function<void()> what) {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(what));
    changed_.notify_one();
  }
  std::thread::id id() const { return thread_.get_id(); }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !queue_.empty(); });
      auto next = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      if (!next) return;
      next();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::thread thread_{[this] { run(); }};
};

task collect(inbox<int>& in, std::vector<int>& seen) {
  while (const auto e = co_await in.next_async()) seen.push_back(**e);
}

task note_thread(inbox<int>& in, std::function<void(std::function<void()>)> resume_on,
                 std::vector<std::thread::id>& seen) {
  while (const auto e = co_await in.next_async(resume_on)) seen.push_back(std::this_thread::get_id());
}

}  // namespace

TEST_CASE("next_async gives each event in order and ends when the topic is finished", "[next_async]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("async");
  auto in = topic.inbox();
  std::vector<int> seen;
  topic.publish(1);
  auto reader = collect(in, seen);
  CHECK(seen == std::vector<int>{1});  // what is there needs no waiting
  topic.publish(2);
  topic.publish(3);
  CHECK(seen == std::vector<int>{1});
  on.run();
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK_FALSE(reader.has_ended());
  topic.publish(4);
  topic.finish();
  on.run();
  CHECK(seen == std::vector<int>{1, 2, 3, 4});
  CHECK(reader.has_ended());
}

TEST_CASE("next_async waits on when an event was filtered", "[next_async]") {
  manual_bus on;
  auto topic = on.bus.topic<int>("async");
  auto in = topic.inbox({.where = [](const metadata& m) { return m.sequence % 2 == 0; }});
  std::vector<int> seen;
  auto reader = collect(in, seen);
  for (int i = 1; i <= 5; ++i) {
    topic.publish(i);
    on.run();
  }
  CHECK(seen == std::vector<int>{2, 4});
  topic.finish();
  on.run();
  CHECK(reader.has_ended());
}

TEST_CASE("next_async ends when the inbox is closed while it waits", "[next_async]") {
  manual_bus on;
  auto in = on.bus.topic<int>("async").inbox();
  std::vector<int> seen;
  auto reader = collect(in, seen);
  in.close();
  on.run();
  CHECK(reader.has_ended());
  auto another = collect(in, seen);
  CHECK(another.has_ended());
}

TEST_CASE("next_async ends when the bus closes while it waits", "[next_async]") {
  inbox<int> in;
  std::vector<int> seen;
  task reader;
  SECTION("by close") {
    actorbus::bus bus;
    in = bus.topic<int>("async").inbox();
    reader = collect(in, seen);
    bus.close(20s);
    CHECK(reader.ends());
  }
  SECTION("by its destructor") {
    {
      actorbus::bus bus;
      in = bus.topic<int>("async").inbox();
      reader = collect(in, seen);
    }
    CHECK(reader.ends());
  }
  SECTION("by abort") {
    actorbus::bus bus;
    in = bus.inbox<int>("any.*");
    reader = collect(in, seen);
    bus.abort();
    CHECK(reader.ends());
  }
}

TEST_CASE("a coroutine resumes on a worker of the bus", "[next_async]") {
  std::mutex mutex;
  std::vector<std::thread::id> workers;
  actorbus::bus bus{bus_options{.workers = 1, .on_thread_start = [&] {
                                  std::lock_guard lock(mutex);
                                  workers.push_back(std::this_thread::get_id());
                                }}};
  auto topic = bus.topic<int>("async");
  auto in = topic.inbox();
  std::vector<std::thread::id> seen;
  auto reader = note_thread(in, {}, seen);
  topic.publish(1);
  topic.finish();
  REQUIRE(reader.ends());
  REQUIRE(seen.size() == 1);
  std::lock_guard lock(mutex);
  CHECK(std::count(workers.begin(), workers.end(), seen.front()) == 1);
}

TEST_CASE("a coroutine resumes where it was told", "[next_async]") {
  loop there;
  actorbus::bus bus;
  auto topic = bus.topic<int>("async");
  auto in = topic.inbox({.overflow = overflow::block});
  const std::size_t count = scaled(5'000);
  std::vector<std::thread::id> seen;
  auto reader = note_thread(
      in,
      [&there, padding = std::string(200, 'x')](std::function<void()> resume) {
        const std::string alive = padding;
        there.post(std::move(resume));
        if (alive != padding) throw std::logic_error("the function went while it was called");
      },
      seen);
  std::size_t published = 0;
  while (published < count) {  // one at a time, so that it waits every time
    topic.publish(static_cast<int>(published++));
    if (published % 16 == 0) std::this_thread::yield();
  }
  topic.finish();
  REQUIRE(reader.ends());
  REQUIRE(seen.size() == count);
  std::size_t elsewhere = 0;
  for (const auto& id : seen)
    if (id != there.id() && id != seen.front()) ++elsewhere;
  CHECK(elsewhere == 0);
}

TEST_CASE("many coroutines await many events and miss none", "[next_async]") {
  const int count = static_cast<int>(scaled(5'000));
  constexpr std::size_t readers = 8;
  actorbus::bus bus;
  auto topic = bus.topic<int>("async");
  std::vector<inbox<int>> inboxes;
  std::vector<std::vector<int>> seen(readers);
  std::vector<task> tasks;
  for (std::size_t i = 0; i < readers; ++i) inboxes.push_back(topic.inbox({.overflow = overflow::block}));
  for (std::size_t i = 0; i < readers; ++i) tasks.push_back(collect(inboxes[i], seen[i]));
  for (int i = 0; i < count; ++i) topic.publish(i);
  topic.finish();
  for (auto& each : tasks) REQUIRE(each.ends());
  for (const auto& each : seen) {
    REQUIRE(each.size() == static_cast<std::size_t>(count));
    CHECK(std::is_sorted(each.begin(), each.end()));
  }
}

TEST_CASE("a coroutine may publish, and two of them converse", "[next_async]") {
  constexpr int rounds = 2'000;
  actorbus::bus bus;
  auto there = bus.topic<int>("there");
  auto back = bus.topic<int>("back");
  auto heard_there = there.inbox();
  auto heard_back = back.inbox();
  auto echo = [](inbox<int>& in, topic<int> out) -> task {
    while (const auto e = co_await in.next_async()) {
      if (**e == rounds) {
        out.finish();
        co_return;
      }
      out.publish(**e + 1);
    }
  };
  auto a = echo(heard_there, back);
  auto b = echo(heard_back, there);
  there.publish(0);
  CHECK(a.ends());
  back.finish();
  CHECK(b.ends());
}
