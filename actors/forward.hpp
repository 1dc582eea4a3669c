// Events to a CAF actor of yours: each becomes one message that holds a kept event<T>.
//
//   auto a = actorbus::forward(poses, my_actor);
//   auto b = actorbus::forward<pose>(bus, "robot.*", my_actor, {.overflow = actorbus::overflow::drop_oldest}, 64);
//   // in the actor's behavior: [](const actorbus::event<pose>& e) { ... }
//
// When full: a CAF mailbox has no bound, so a forwarding brings its own, `window`: the most events that the actor was
// sent and has not answered. Handling one is the answer, whatever the handler returns; one that returns a promise
// answers when it delivers. While the window is used up the subscription rests and lags, and its `overflow` acts as
// that of any slow handler. Order: each topic's, as with a handler. Notices are not forwarded: they are counted, see
// the snapshot. When closed: `delivered` means sent to the actor. Closing the bus waits, at most to its deadline, until
// what was published has been sent; the actor may handle it later, also when bus and subscription are gone. Ownership:
// the subscription keeps the actor alive. When the actor ends, the subscription does. Cancel it, or close the bus,
// before the actor's system ends.
// Serialisation: an event cannot leave the process, so the actor must be a local one.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>

#include <bus/bus.hpp>
#include <bus/event.hpp>
#include <bus/options.hpp>
#include <bus/subscription.hpp>
#include <bus/topic.hpp>

namespace caf {

template <class T>
struct allowed_unsafe_message_type<actorbus::event<T>> : std::true_type {};

}  // namespace caf

namespace actorbus {

/// Events under way to one actor, if nothing else is said.
inline constexpr std::size_t default_window = 1024;

namespace actors {

class send_window;

/// The sink of a forwarding, without its type. Throws errc::invalid_argument for no actor and for a window of 0.
class forwarding : public core::sink {
 public:
  forwarding(const caf::actor& to, std::size_t window);
  ~forwarding() override;
  forwarding(const forwarding&) = delete;
  forwarding& operator=(const forwarding&) = delete;

  void tell(const core::notice&) override {}

 protected:
  void send(core::reader& by, caf::message what);

 private:
  friend subscription begin(const std::shared_ptr<core::bus_core>&, std::string_view, const core::topic_kind&,
                            subscribe_options, std::unique_ptr<forwarding>);

  const std::shared_ptr<send_window> window_;
  const caf::actor relay_;
};

template <class T>
class forwarding_of final : public forwarding {
 public:
  using forwarding::forwarding;

  void take(core::reader& by, const core::batch& entries) override {
    core::for_each_entry(
        by, entries, [&](const core::entry_view& view) { send(by, caf::make_message(core::event_at<T>(view))); },
        [](const core::notice&) {});
  }
};

subscription begin(const std::shared_ptr<core::bus_core>& bus, std::string_view pattern, const core::topic_kind& kind,
                   subscribe_options options, std::unique_ptr<forwarding> to);

}  // namespace actors

/// Subscribes `to` to a topic or a pattern. Throws what subscribe throws, and errc::invalid_argument if `to` is no
/// actor or `window` is 0.
template <class T>
[[nodiscard]] subscription forward(const bus& from, std::string_view pattern, const caf::actor& to,
                                   subscribe_options options = {}, std::size_t window = default_window) {
  return actors::begin(from.core(), pattern, core::kind_of<T>(), std::move(options),
                       std::make_unique<actors::forwarding_of<T>>(to, window));
}

template <class T>
[[nodiscard]] subscription forward(const topic<T>& from, const caf::actor& to, subscribe_options options = {},
                                   std::size_t window = default_window) {
  return actors::begin(from.core()->bus().shared_from_this(), from.name(), core::kind_of<T>(), std::move(options),
                       std::make_unique<actors::forwarding_of<T>>(to, window));
}

}  // namespace actorbus
