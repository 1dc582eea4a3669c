// How long an event takes from before its publish call to inside its receiver, one way, in nanoseconds: percentiles of
// all samples of a run. And how long a request takes until its reply is there.
#include <benchmark/benchmark.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ours.hpp"
#include "peers.hpp"
#include "samples.hpp"
#ifdef ACTORBUS_BENCH_MOODYCAMEL
#include "moodycamel.hpp"
#endif
#ifdef ACTORBUS_BENCH_ZEROMQ
#include "zeromq.hpp"
#endif

namespace actorbus::bench {

namespace {

/// How the publisher waits for its next moment.
enum class pace { busy, sleeping };

struct schedule {
  pace how = pace::busy;
  std::chrono::nanoseconds every = std::chrono::microseconds(100);
  std::size_t events = 20'000;
};

void wait_for(clock::time_point when, pace how) {
  if (how == pace::sleeping) return std::this_thread::sleep_until(when);
  while (clock::now() < when) {
  }
}

/// Occupies a thread that calls it, until it is destroyed.
class long_work {
 public:
  ~long_work() {
    ended_ = true;
    ended_.notify_all();
    while (began_ && !left_) std::this_thread::yield();
  }
  void operator()() {
    began_ = true;
    ended_.wait(false);
    left_ = true;
  }
  void wait_until_begun() const {
    while (!began_) std::this_thread::yield();
  }

 private:
  std::atomic<bool> began_{false}, ended_{false}, left_{false};
};

/// Keeps one worker of a subject busy for its life.
template <class Subject>
class held_worker {
 public:
  explicit held_worker(Subject& of) : topic_(of.bus().template topic<int>("held")) {
    subscribed_ = topic_.subscribe([this](const int&) { (*work_)(); });
    topic_.publish(1);
    work_->wait_until_begun();
  }
  ~held_worker() { work_.reset(); }

 private:
  std::unique_ptr<long_work> work_ = std::make_unique<long_work>();
  actorbus::topic<int> topic_;
  subscription subscribed_;
};

template <class Receiver>
class held_worker<caf_actors<small, Receiver>> {
 public:
  explicit held_worker(caf_actors<small, Receiver>& of) {
    of.system().spawn([this]() { (*work_)(); });
    work_->wait_until_begun();
  }
  ~held_worker() { work_.reset(); }

 private:
  std::unique_ptr<long_work> work_ = std::make_unique<long_work>();
};

template <class Subject, bool HoldsWorker, class... Settings>
void run(benchmark::State& state, schedule plan, Settings... settings) {
  const std::size_t warm_up = std::min<std::size_t>(plan.events / 10, 1000);
  receivers<stopwatch> to(1);
  to.expect(plan.events + warm_up);
  Subject subject({}, to, settings...);
  for (auto _ : state) {
    [[maybe_unused]] std::conditional_t<HoldsWorker, held_worker<Subject>, Subject&> held(subject);
    auto out = subject.port(0);
    auto next = clock::now();
    for (std::size_t i = 0; i < plan.events + warm_up; ++i) {
      next += plan.every;
      wait_for(next, plan.how);
      small value = make<small>(i);
      value.sent = now_ns();
      out.send(0, std::move(value));
    }
    to.end.wait();
  }
  std::vector<std::int64_t> samples = to.each.front().samples();
  samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(warm_up));
  report(state, std::move(samples));
}

template <class Subject, bool HoldsWorker = false, class... Settings>
void add(const std::string& name, schedule plan, Settings... settings) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) { run<Subject, HoldsWorker>(state, plan, settings...); })
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
}

using bus_subject = ours<small, stopwatch>;
using caf_subject = caf_actors<small, stopwatch>;

void add_all(const std::string& scenario, schedule plan) {
  const auto named = [&](const char* subject) { return scenario + "/" + subject; };
  add<bus_subject>(named("actorbus"), plan, usage{});
  add<bus_subject>(named("actorbus_inbox"), plan, usage{.inbox = true});
  add<bus_subject>(named("actorbus_own_thread"), plan, usage{.run_on = run_on::own_thread});
  add<bus_subject>(named("actorbus_topic"), plan, usage{.run_on = run_on::topic});
  add<caf_subject>(named("caf_sharing"), plan, caf_policy::sharing);
  add<caf_subject>(named("caf_stealing"), plan, caf_policy::stealing);
  add<caf_groups<small, stopwatch>>(named("caf_groups"), plan, caf_policy::sharing);
  add<mutex_queue<small, stopwatch>>(named("mutex_queue"), plan);
#ifdef ACTORBUS_BENCH_MOODYCAMEL
  add<moodycamel_queue<small, camel::blocking, stopwatch>>(named("moodycamel_blocking"), plan);
#endif
#ifdef ACTORBUS_BENCH_ZEROMQ
  add<zeromq<small, stopwatch>>(named("zeromq"), plan);
#endif
}

void request_reply(benchmark::State& state) {
  actorbus::bus bus;
  const auto responder = bus.respond<int, int>("double", [](const int& i) { return 2 * i; });
  std::vector<std::int64_t> samples;
  for (auto _ : state) {
    for (int i = 0; i < 20'000; ++i) {
      const auto began = now_ns();
      if (bus.request<int>("double", i, std::chrono::seconds(10)).get() != 2 * i) state.SkipWithError("a wrong reply");
      samples.push_back(now_ns() - began);
    }
  }
  report(state, std::move(samples));
}

void caf_request_reply(benchmark::State& state, caf_policy policy) {
  caf_config config(policy);
  caf::actor_system system(config);
  const auto responder = system.spawn([]() -> caf::behavior { return {[](int i) { return 2 * i; }}; });
  caf::scoped_actor self(system);
  std::vector<std::int64_t> samples;
  for (auto _ : state) {
    for (int i = 0; i < 20'000; ++i) {
      const auto began = now_ns();
      self->request(responder, std::chrono::seconds(10), i)
          .receive(
              [&](int reply) {
                if (reply != 2 * i) state.SkipWithError("a wrong reply");
              },
              [&](const caf::error&) { state.SkipWithError("no reply"); });
      samples.push_back(now_ns() - began);
    }
  }
  report(state, std::move(samples));
  self->send_exit(responder, caf::exit_reason::user_shutdown);
}

/// The latency of 999 cold topics, one event each 100 microseconds on one after the other, while another topic is
/// published to as fast as it takes it.
void beside_a_hot_topic(benchmark::State& state, schedule plan) {
  const wiring cold{1, 999, 1};
  const std::size_t rounds = std::max<std::size_t>(plan.events / cold.topics, 1);
  receivers<stopwatch> to(cold.topics);
  to.expect(rounds);
  ours<small, stopwatch> subject(cold, to);
  auto hot = subject.bus().topic<small>("hot");
  std::atomic<bool> ended{false};
  const auto heard = hot.subscribe([](const small& v) { benchmark::DoNotOptimize(v.number); });
  std::thread loud([&] {
    auto out = hot.publisher();
    for (std::uint64_t i = 0; !ended; ++i) out.publish(make<small>(i));
  });
  for (auto _ : state) {
    auto out = subject.port(0);
    auto next = clock::now();
    for (std::size_t i = 0; i < rounds * cold.topics; ++i) {
      next += plan.every;
      wait_for(next, plan.how);
      small value = make<small>(i);
      value.sent = now_ns();
      out.send(i % cold.topics, std::move(value));
    }
    to.end.wait();
  }
  ended = true;
  loud.join();
  std::vector<std::int64_t> samples;
  for (const auto& each : to.each) samples.insert(samples.end(), each.samples().begin(), each.samples().end());
  report(state, std::move(samples));
}

void register_all(double share) {
  const auto some = [&](std::size_t events) {
    return std::max<std::size_t>(static_cast<std::size_t>(static_cast<double>(events) * share), 10);
  };
  using std::chrono::milliseconds;
  const schedule busy{.how = pace::busy, .events = some(20'000)};
  const schedule sleeping{.how = pace::sleeping, .events = some(20'000)};
  const schedule rare{.how = pace::sleeping, .every = milliseconds(50), .events = some(60)};
  add_all("busy_paced", busy);
  add_all("sleeping", sleeping);
  add_all("each_50ms", rare);
  add<bus_subject, true>("each_50ms_held/actorbus", rare, usage{.bus = {.workers = 2}});
  add<caf_subject, true>("each_50ms_held/caf_sharing", rare, caf_policy::sharing);
  add<caf_subject, true>("each_50ms_held/caf_stealing", rare, caf_policy::stealing);
  add<bus_subject>("spin/actorbus", busy, usage{.bus = {.workers = 1, .idle = idle_strategy::spin}});
  add<spsc<small, true, stopwatch>>("spin/limit_spsc_all", busy);
  benchmark::RegisterBenchmark("beside_hot/actorbus",
                               [=](benchmark::State& state) { beside_a_hot_topic(state, sleeping); })
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("request/actorbus", request_reply)->Iterations(1)->Unit(benchmark::kMillisecond);
  for (const auto& [name, policy] : {std::pair{"request/caf_sharing", caf_policy::sharing},
                                     std::pair{"request/caf_stealing", caf_policy::stealing}}) {
    benchmark::RegisterBenchmark(name, [p = policy](benchmark::State& state) { caf_request_reply(state, p); })
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace

}  // namespace actorbus::bench

/// ACTORBUS_BENCH_SHARE: of the events of a run, 1 as a rule; CI takes fewer.
int main(int argc, char** argv) {
  const char* share = std::getenv("ACTORBUS_BENCH_SHARE");
  actorbus::bench::register_all(share == nullptr ? 1.0 : std::atof(share));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
