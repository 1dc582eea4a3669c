// The design's in-process listing, as it stands there. It has to compile with every compiler, and to run to its end.
#include <atomic>

#include "catch.hpp"

#include <bus/bus.hpp>
using namespace std::chrono_literals;

struct pose {
  double x, y, theta;
};

namespace {

std::atomic<int> uses{0};
template <class... Anything>
void use(const Anything&...) {
  ++uses;
}

auto handler = [](const pose& p) { use(p); };

}  // namespace

// clang-format off
TEST_CASE("the listing of the design compiles and runs as it stands") {
actorbus::bus bus;               // or bus{actorbus::bus_options{.name = "robot-7", .workers = 2,
                                 //     .idle = actorbus::idle_strategy::park, .close_within = 5s}}     park | spin
auto poses = bus.topic<pose>("robot.pose");              // find or create
auto kept  = bus.topic<pose>("robot.kept", {.capacity = 1024, .history = 100});

// publish: by rvalue or const reference
poses.publish({1, 2, 3});                                // any thread; waits while the topic is full
poses.publish({1, 2, 3}, {{"source", "odometry"}});      // with headers
std::error_code full = poses.try_publish({1, 2, 3});     // never waits: errc::would_block
std::error_code late = poses.publish_for({1, 2, 3}, 10ms);              // (value, how long, headers): errc::timeout
actorbus::publisher<pose> out = poses.publisher();       // one thread at a time; the fast path; the same calls
out.publish_all(std::span<const pose>{});                // a batch in one step
std::future<void> accepted = poses.publish_async({1, 2, 3});
poses.finish();                                          // end of stream: later publishes are errc::finished

// subscribe: the handler takes the value or the event
actorbus::subscription a = poses.subscribe([](const pose& p) { use(p.x); });
actorbus::subscription b = bus.subscribe<pose>("robot.*", [](const actorbus::event<pose>& e) {
  use(e.topic(), e.sequence(), e.time(), e.headers(), (*e).x, e->y);
});
a.pause(); a.resume(); a.active(); a.cancel();           // its destructor cancels

auto c = poses.subscribe(handler, {
  .from     = actorbus::replay::last(10),                // live() | last(n) | all() | after(sequence) | since(time_point)
  .overflow = actorbus::overflow::drop_oldest,           // block | drop_oldest | latest | disconnect
  .capacity = 256,                                       // how far it may lag before `overflow` acts; 0: the topic's
  .run_on   = actorbus::run_on::pool,                    // pool | topic | own_thread
  .group    = "workers",                                 // members of a group share the events among them
  .where    = [](const actorbus::metadata& m) { return m.headers.contains("source"); },  // keep if true
  .on_error = actorbus::on_error::retry(3, 10ms).then_dead_letter("robot.dead"),  // ignore() | cancel() | dead_letter(topic)
  .owner    = std::weak_ptr<void>{},                     // if set: locked around each call, no call once it expired
});

// your own thread: a game tick, a robot's loop, a test
actorbus::inbox<pose> in = poses.inbox({.from = actorbus::replay::live(), .overflow = actorbus::overflow::latest});
std::size_t handled = in.poll([](const actorbus::event<pose>& e) { use(e); }, 64);   // what is there now, at most 64
std::optional<actorbus::event<pose>> one = in.next(5ms); // waits; empty on timeout or when closed: in.closed(), in.dropped()
for (const auto& e : in) use(e);                         // until the topic is finished, the inbox or the bus closed
int fd = in.readable_fd();                               // for a foreign loop
auto many = bus.inbox<pose>("robot.>", {.overflow = actorbus::overflow::drop_oldest, .capacity = 1000});

// loss is data: notices come in order with the events, to the non-template members of an `overloaded`
auto d = poses.subscribe(actorbus::overloaded{
  [](const actorbus::event<pose>& e) { use(e); },
  [](const actorbus::lagged& l) { use(l.topic, l.count, l.first, l.last); },
  [](const actorbus::caught_up&) {}, [](const actorbus::finished& f) { use(f.reason); },
}, {.overflow = actorbus::overflow::drop_oldest});

// request and reply
auto s = bus.respond<std::string, int>("text.length", [](const std::string& t) { return int(t.size()); });
std::future<int> r = bus.request<int>("text.length", std::string{"abc"}, 1s);   // failures arrive through the future

// looking at it, ending it
std::optional<actorbus::event<pose>> newest = poses.latest();
auto tap = bus.observe("robot.>", [](const actorbus::metadata& m, std::type_index t) { use(m, t); });  // every type, no payload
bool quiet = bus.flush(1s);                              // everything published before it has been handled
actorbus::bus_snapshot now = bus.snapshot();             // per topic and per subscription
actorbus::close_report end = bus.close(5s);              // drain, then stop; abort() does not drain

  CHECK_FALSE(full);
  CHECK_FALSE(late);
  CHECK(handled == 0);
  CHECK_FALSE(one);
  CHECK(fd >= 0);
  CHECK(in.closed());
  CHECK(r.get() == 3);
  CHECK_FALSE(newest);
  CHECK(quiet);
  CHECK(now.topics.size() >= 2);
  CHECK(end.totals.adds_up());
  CHECK(end.totals.accepted >= 5);
  CHECK(uses > 0);  // the notice that the topic was finished already
}
// clang-format on
