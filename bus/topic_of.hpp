// A topic of one payload type: how a publish becomes an entry, in a lane, in the spill, or straight in the log.
//
// Threads: any; each lane slot belongs to one publisher at a time.
#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <bus/bus_core.hpp>
#include <bus/errors.hpp>
#include <bus/event.hpp>
#include <bus/history_source.hpp>
#include <bus/in_handler.hpp>
#include <bus/lane.hpp>
#include <bus/topic_core.hpp>
#include <bus/topic_kind.hpp>

namespace actorbus::core {

/// What accept takes: the value, moved only once accepted.
template <class T>
requires(!std::is_reference_v<T>) arrival<T> arriving(T&& value, const annotation* note) { return {&value, note}; }
template <class T>
arrival<const T> arriving(const T& value, const annotation* note) {
  return {&value, note};
}

template <class T>
class topic_of final : public topic_core {
 public:
  using topic_core::topic_core;

  /// A wait until here is none: refuse with would_block.
  static constexpr engine::time_point at_once = engine::time_point::min();
  static constexpr engine::time_point forever = engine::time_point::max();

  /// Accepts one entry, or says why not and has not touched it. `slot()`: where the publisher keeps its lane here.
  /// Waits for room until `deadline`; in a handler it spills instead.
  template <class Arrival, class Slot>
  std::error_code accept(Slot&& slot, const Arrival& what, engine::time_point deadline) {
    for (;;) {
      if (!is_open()) [[unlikely]] {
        if (const auto why = refusal(in_handler())) return refuse(why);
      }
      if (append_directly(what)) return {};
      std::shared_ptr<lane>& mine = lane_in(slot());
      if (!mine) continue;  // the gate was shut meanwhile: refusal() says why
      auto& to = static_cast<lane_of<T>&>(*mine);
      bool accepted = to.push(single_arrival<Arrival>{&what}, 1) == 1;
      if (!accepted && in_handler()) {
        if (!to.spill(what, options().spill)) return refuse(make_error_code(errc::would_block));
        count_spilled(1);
        accepted = true;
      }
      if (accepted) {
        ring_after_push(to);
        if (to.settle()) [[likely]] {
          if (!std::is_trivially_destructible_v<stored<T>> || what.note != nullptr) tidy_up(to, 1);
          return {};
        }
        to.recall([&](stored<T>& value) { give_back(what, value); });
        mine.reset();
        continue;
      }
      if (deadline == at_once) return refuse(make_error_code(errc::would_block));
      if (!wait_for_room(to, deadline)) return refuse(make_error_code(errc::timeout));
    }
  }

  /// Accepts what fits of a batch in one step; returns how many.
  template <class Slot>
  std::size_t accept_some(Slot&& slot, const batch_arrival<T>& batch, std::size_t count) {
    std::shared_ptr<lane>& mine = lane_in(slot());
    if (!mine) return 0;
    auto& to = static_cast<lane_of<T>&>(*mine);
    const std::size_t accepted = to.push(batch, count);
    if (accepted == 0) return 0;
    ring_after_push(to);
    if (to.settle()) [[likely]] {
      if (!std::is_trivially_destructible_v<stored<T>> || batch.note != nullptr) tidy_up(to, accepted);
      return accepted;
    }
    for (std::size_t i = 0; i < accepted; ++i) {
      to.recall([](stored<T>&) {});
      annotation::release(batch.note);  // each entry had a use of its own
    }
    mine.reset();
    return 0;
  }

  /// Accepts into the lane, or into the spill with a promise that is kept once the entry is in the log.
  template <class Arrival, class Slot>
  std::error_code accept_async(Slot&& slot, const Arrival& what, std::promise<void>& accepted) {
    for (;;) {
      if (const auto why = refusal(in_handler())) return refuse(why);
      if (append_directly(what)) return accepted.set_value(), std::error_code{};
      std::shared_ptr<lane>& mine = lane_in(slot());
      if (!mine) continue;
      auto& to = static_cast<lane_of<T>&>(*mine);
      const bool in_ring = to.push(single_arrival<Arrival>{&what}, 1) == 1;
      if (!in_ring) {
        if (!to.spill(what, options().spill, &accepted)) return refuse(make_error_code(errc::would_block));
        count_spilled(1);
      }
      ring_after_push(to);
      if (to.settle()) [[likely]] {
        if (in_ring) accepted.set_value();
        return {};
      }
      to.recall([&](stored<T>& value) { give_back(what, value); }, &accepted);
      mine.reset();
    }
  }

 private:
  std::shared_ptr<lane>& lane_in(std::shared_ptr<lane>& slot) {
    if (!slot || slot->is_sealed()) slot = add_lane(std::make_shared<lane_of<T>>(options().lane, identity()));
    return slot;
  }

  template <class Arrival>
  bool append_directly(const Arrival& what) {
    std::int64_t time = 0;
    if (!is_idle() || !take_for_direct_append(time)) return false;
    try {
      std::size_t room = 0;
      ::new (static_cast<void*>(writable_log().slots(room))) entry_of<T>(what);
    } catch (...) {
      give_baton_back();
      throw;
    }
    writable_log().append(1, time);
    finish_direct_append(1);
    return true;
  }

  /// The lane was sealed under the push: the publisher's value is its own again.
  static void give_back(const arrival<T>& what, stored<T>& value) {
    std::destroy_at(what.value);
    if constexpr (is_boxed<T>) {
      std::construct_at(what.value, std::move(*value));
    } else {
      std::construct_at(what.value, std::move(value));
    }
  }
  static void give_back(const arrival<const T>&, stored<T>&) {}
  static void give_back(const bare_arrival&, stored<T>&) {}
};

/// Builds the annotation of an event, null if it carries nothing.
inline annotation_ptr annotate(headers with, std::uint64_t origin, std::uint64_t origin_sequence = 0) {
  if (with.empty() && origin == 0 && origin_sequence == 0) return {};
  auto* note = new annotation;
  note->headers = std::move(with);
  note->origin = origin;
  note->origin_sequence = origin_sequence;
  return annotation_ptr(note);
}

template <class T>
class dead_letter_box_of final : public dead_letter_box {
 public:
  explicit dead_letter_box_of(std::shared_ptr<topic_core> into) : into_(std::move(into)) { into_->add_publisher(1); }
  ~dead_letter_box_of() override {
    if (lane_) lane_->leave();
    into_->add_publisher(-1);
    into_->drop_handle();
  }

  std::error_code put(const entry_view& what, std::size_t attempts, const std::string& error) override {
    auto* note = new annotation;
    annotation_ptr owned(note);
    note->headers = what.headers();
    note->headers.set(dead_letter::topic, std::string(what.topic()));
    note->headers.set(dead_letter::sequence, std::to_string(what.sequence));
    note->headers.set(dead_letter::attempts, std::to_string(attempts));
    note->headers.set(dead_letter::error, error);
    note->origin = what.origin();
    note->origin_sequence = what.origin_sequence();
    auto& into = static_cast<topic_of<T>&>(*into_);
    const T* value = static_cast<const entry_of<T>*>(what.at)->value();
    std::error_code refused;
    if constexpr (std::is_copy_constructible_v<T>) {
      try {
        refused = into.accept(
            [this]() -> auto& { return lane_; }, arrival<const T>{value, note}, topic_of<T>::at_once);
        if (!refused) owned.leave();
        return refused;
      } catch (...) {  // a copy that throws must not lose the event: refer to it instead
      }
    }
    note->elsewhere = what.refer_to(value);
    refused = into.accept(
        [this]() -> auto& { return lane_; }, bare_arrival{note}, topic_of<T>::at_once);
    if (!refused) owned.leave();
    return refused;
  }

 private:
  const std::shared_ptr<topic_core> into_;  // with a handle
  std::shared_ptr<lane> lane_;
};

template <class T>
const topic_kind& kind_of() {
  static const topic_kind self{
      payload_type_of<T>(),
      [](std::shared_ptr<bus_core> bus, std::string name, std::uint64_t first) -> std::shared_ptr<topic_core> {
        auto identity = std::make_shared<topic_identity>(std::move(name), payload_type_of<T>());
        return std::make_shared<topic_of<T>>(std::move(bus), std::move(identity), first);
      },
      [](const entry_view& view) -> const void* { return static_cast<const entry_of<T>*>(view.at)->value(); },
      [](std::shared_ptr<topic_core> into) -> std::unique_ptr<dead_letter_box> {
        return std::make_unique<dead_letter_box_of<T>>(std::move(into));
      }};
  return self;
}

}  // namespace actorbus::core
