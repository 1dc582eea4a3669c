// A user's handler as a sink: called with the event or the value, and with the notices it takes.
#pragma once

#include <type_traits>
#include <typeindex>
#include <utility>
#include <variant>

#include <bus/entry_loop.hpp>
#include <bus/event.hpp>
#include <bus/handler_traits.hpp>

namespace actorbus::core {

/// A handler for T is tried with `const event<T>&`, then with `const T&`.
template <class F, class T>
concept handler_of = std::is_invocable_v < F&,
        const event<T>
& > || std::is_invocable_v<F&, const T&>;

template <class T>
event<T> event_at(const entry_view& view) {
  return event<T>(view, static_cast<const entry_of<T>*>(view.at)->value());
}

template <class T, class F>
decltype(auto) call_handler(F& handler, const entry_view& view) {
  if constexpr (std::is_invocable_v<F&, const event<T>&>) {
    const event<T> e = event_at<T>(view);
    return handler(e);
  } else {
    return handler(*static_cast<const entry_of<T>*>(view.at)->value());
  }
}

/// Tells `handler` a notice, if a non-template member of it takes that kind.
template <class F>
void tell_handler(F& handler, const notice& what) {
  std::visit(
      [&](const auto& told) {
        if constexpr (takes_notice<F, std::remove_cvref_t<decltype(told)>>) handler(told);
      },
      what);
}

template <class T, class F>
class handler_sink final : public sink {
 public:
  explicit handler_sink(F handler) : handler_(std::move(handler)) {}

  void take(reader& by, const batch& entries) override {
    for_each_entry(
        by, entries, [this](const entry_view& view) { call_handler<T>(handler_, view); },
        [this](const notice& what) { tell_handler(handler_, what); });
  }
  void tell(const notice& what) override { tell_handler(handler_, what); }

 private:
  F handler_;
};

/// An observer sees metadata and type, no payload.
template <class F>
class observer_sink final : public sink {
 public:
  explicit observer_sink(F handler) : handler_(std::move(handler)) {}

  void take(reader& by, const batch& entries) override {
    for_each_entry(
        by, entries,
        [this](const entry_view& view) { handler_(view.metadata(), view.holder->identity().payload.type); },
        [this](const notice& what) { tell_handler(handler_, what); });
  }
  void tell(const notice& what) override { tell_handler(handler_, what); }

 private:
  F handler_;
};

}  // namespace actorbus::core
