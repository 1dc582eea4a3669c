#include <actors/forward.hpp>

#include <atomic>
#include <mutex>

#include <caf/all.hpp>

#include <bus/errors.hpp>
#include <bus/in_handler.hpp>
#include <bus/subscriber.hpp>
#include <bus/subscribing.hpp>

namespace actorbus::actors {

/// To the relay, from the subscription: an event to be passed on.
struct passing {
  caf::message what;
};

/// To the relay, from the subscription that ends: nothing follows.
struct no_more {};

}  // namespace actorbus::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actorbus::actors::passing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actorbus::actors::no_more)

namespace actorbus::actors {

/// How many events are under way, and the subscription that rests when they are too many. Threads: any.
class send_window {
 public:
  explicit send_window(std::size_t size) : size_(size) {}

  /// The subscription, inside its own call.
  void sent(core::subscriber& by) {
    std::lock_guard lock(mutex_);
    if (++under_way_ < size_) return;
    by.hold();
    resting_ = std::static_pointer_cast<core::subscriber>(by.shared_from_this());
  }

  void answered() {
    std::shared_ptr<core::subscriber> rested;  // let go of behind the lock
    std::lock_guard lock(mutex_);
    if (--under_way_ > size_ / 2) return;  // not for every event a wake-up
    rested = std::exchange(resting_, {}).lock();
    if (rested) rested->release_hold();  // under the lock, so that it is not late for the next hold
  }

  /// Ends `which` if the actor has ended already.
  void belongs_to(const std::shared_ptr<core::subscriber>& which) {
    {
      std::lock_guard lock(mutex_);
      subscriber_ = which;
      if (!actor_has_ended_) return;
    }
    which->cancel();
  }

  void actor_ended() {
    std::shared_ptr<core::subscriber> which;
    {
      std::lock_guard lock(mutex_);
      actor_has_ended_ = true;
      which = subscriber_.lock();
    }
    const core::handler_scope never_waits;
    if (which) which->cancel();
  }

 private:
  const std::size_t size_;
  std::mutex mutex_;  // guards what follows
  std::size_t under_way_ = 0;
  bool actor_has_ended_ = false;
  std::weak_ptr<core::subscriber> resting_;
  std::weak_ptr<core::subscriber> subscriber_;
};

namespace {

/// Sends events as requests, whose responses say that they were handled.
class relay_actor final : public caf::event_based_actor {
 public:
  relay_actor(caf::actor_config& config, caf::actor to, std::shared_ptr<send_window> window)
      : caf::event_based_actor(config), to_(std::move(to)), window_(std::move(window)) {
    made_.store(true, std::memory_order_release);
  }

  const char* name() const override { return "actorbus.forward"; }

  caf::behavior make_behavior() override {
    see_it_made();
    monitor(to_);
    set_down_handler([this](const caf::down_msg&) { end(); });
    return {[this](const passing& p) { pass(p.what); }, [this](no_more) { quit(); }};
  }

  void on_exit() override {
    see_it_made();
    to_ = nullptr;
  }

 private:
  /// CAF orders every call behind the constructor, by atomics that a sanitizer does not see; this one it sees. Each
  /// call may be on another thread of CAF's.
  void see_it_made() const { made_.load(std::memory_order_acquire); }  // partner: the constructor

  void pass(const caf::message& what) {
    // A response of another type than expected, an unhandled message and an actor that ended are errors, and answers
    // too.
    request(to_, caf::infinite, what)
        .then([this] { window_->answered(); }, [this](const caf::error&) { window_->answered(); });
  }

  void end() {
    see_it_made();
    window_->actor_ended();
    quit();
  }

  caf::actor to_;
  const std::shared_ptr<send_window> window_;
  std::atomic<bool> made_{false};
};

caf::actor spawn_relay(const caf::actor& to, std::size_t window, std::shared_ptr<send_window> counted) {
  if (!to) throw bus_error(errc::invalid_argument, "forward: there is no actor");
  if (window == 0) throw bus_error(errc::invalid_argument, "forward: the window must be at least 1");
  return to.home_system().spawn<relay_actor>(to, std::move(counted));
}

}  // namespace

forwarding::forwarding(const caf::actor& to, std::size_t window)
    : window_(std::make_shared<send_window>(window)), relay_(spawn_relay(to, window, window_)) {}

forwarding::~forwarding() { caf::anon_send(relay_, no_more{}); }

void forwarding::send(core::reader& by, caf::message what) {
  window_->sent(static_cast<core::subscriber&>(by));
  caf::anon_send(relay_, passing{std::move(what)});
}

subscription begin(const std::shared_ptr<core::bus_core>& bus, std::string_view pattern, const core::topic_kind& kind,
                   subscribe_options options, std::unique_ptr<forwarding> to) {
  const auto window = to->window_;
  auto fresh = core::subscribe(bus, pattern, kind, std::move(options), std::move(to));
  subscription result(fresh);
  window->belongs_to(fresh);
  return result;
}

}  // namespace actorbus::actors
