#include <actors/run_queue.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

using actorbus::actors::run_queue;

TEST_CASE("a run queue gives back what it took, first in first out", "[run_queue]") {
  run_queue<int, 4> queue;
  int jobs[3] = {};
  CHECK(queue.pop() == nullptr);
  for (int round = 0; round < 5; ++round) {
    for (auto& job : jobs) queue.push(&job);
    for (auto& job : jobs) CHECK(queue.pop() == &job);
    CHECK(queue.pop() == nullptr);
  }
}

TEST_CASE("a full run queue takes more, and keeps the order", "[run_queue]") {
  run_queue<int, 4> queue;
  int jobs[20] = {};
  std::size_t pushed = 0;
  std::size_t popped = 0;
  while (pushed < 10) queue.push(&jobs[pushed++]);
  while (popped < 5) CHECK(queue.pop() == &jobs[popped++]);
  while (pushed < 20) queue.push(&jobs[pushed++]);
  while (popped < 20) CHECK(queue.pop() == &jobs[popped++]);
  CHECK(queue.pop() == nullptr);
}

TEST_CASE("a run queue gives each job to exactly one of many threads", "[run_queue]") {
  struct job {
    int written = 0;  // plain: the queue orders pusher and popper
    std::atomic<int> taken{0};
  };
  constexpr std::size_t each = 5'000;
  run_queue<job, 64> queue;
  std::vector<job> jobs(2 * each);
  std::atomic<std::size_t> left{jobs.size()};
  std::atomic<int> unwritten{0};
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < 2; ++p) {
    threads.emplace_back([&, p] {
      for (std::size_t i = p * each; i < (p + 1) * each; ++i) {
        jobs[i].written = 1;
        queue.push(&jobs[i]);
      }
    });
    threads.emplace_back([&] {
      while (left.load() > 0) {
        job* const next = queue.pop();
        if (next == nullptr) {
          std::this_thread::yield();
          continue;
        }
        if (next->written == 0) ++unwritten;
        ++next->taken;
        --left;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(unwritten.load() == 0);
  for (const auto& each_job : jobs) REQUIRE(each_job.taken.load() == 1);
}
