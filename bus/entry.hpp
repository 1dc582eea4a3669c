// One place in a lane or in a log: a time, an annotation or none, and room for one payload.
//
// An entry moves once, from its lane into the log, and is then read in place. boost::lockfree::spsc_queue assigns
// entries into raw slots of the log, so assignment here means relocation: the target holds nothing before, the source
// nothing after.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <typeindex>
#include <utility>

#include <bus/annotation.hpp>

namespace actorbus::core {

struct entry {
  std::int64_t time;       ///< nanoseconds since the system clock's epoch; stamped by the log's writer
  const annotation* note;  ///< owned by the entry
};

/// Payloads beyond this size are boxed: a lane of 1,024 places must not take megabytes.
inline constexpr std::size_t max_inline_payload = 512;

/// Boxed: T's move may throw (relocation must not fail half way), or T is large.
template <class T>
inline constexpr bool is_boxed = !std::is_nothrow_move_constructible_v<T> || sizeof(T) > max_inline_payload;

template <class T>
using stored = std::conditional_t<is_boxed<T>, std::unique_ptr<T>, T>;

/// How a payload arrives: `arrival<const T>` is copied from, `arrival<T>` is moved from.
template <class Value>
struct arrival {
  Value* value;
  const annotation* note;
  decltype(auto) get() const {
    return static_cast<std::conditional_t<std::is_const_v<Value>, Value&, Value&&>>(*value);
  }
};

/// An arrival without a payload: a notice, or a reference to a payload elsewhere.
struct bare_arrival {
  const annotation* note;
};

/// One arrival, as a range. Refers to it: a copy, read back in another width than it was written in, would wait for
/// every store before it.
template <class One>
struct single_arrival {
  using value_type = One;
  const One* one;
  const One& operator[](std::size_t) const { return *one; }
};

/// A batch, each with the same headers.
template <class T>
struct batch_arrival {
  using value_type = arrival<const T>;
  const T* values;
  const annotation* note;  // one use; each entry takes its own
  value_type operator[](std::size_t i) const {
    if (note != nullptr) note->retain();
    return {values + i, note};
  }
};

template <class T>
struct entry_storage : entry {
  alignas(stored<T>) std::byte bytes[sizeof(stored<T>)];

  stored<T>* place() { return std::launder(reinterpret_cast<stored<T>*>(bytes)); }
  const stored<T>* place() const { return std::launder(reinterpret_cast<const stored<T>*>(bytes)); }

  template <class Value>
  void construct(const arrival<Value>& from) {
    if constexpr (is_boxed<T>) {
      ::new (static_cast<void*>(bytes)) stored<T>(std::make_unique<T>(from.get()));
    } else {
      ::new (static_cast<void*>(bytes)) T(from.get());
    }
    note = from.note;
    time = 0;
  }

  bool has_payload() const { return note == nullptr || !note->replaces_payload(); }

  const T* value() const {
    if (note != nullptr && note->elsewhere.value() != nullptr) return static_cast<const T*>(note->elsewhere.value());
    if constexpr (is_boxed<T>) {
      return place()->get();
    } else {
      return place();
    }
  }
};

/// Trivial payloads relocate as bytes, so that a batch leaves its lane by memcpy.
template <class T, bool Trivial = std::is_trivially_copyable_v<stored<T>>&& std::is_trivially_destructible_v<stored<T>>>
struct entry_of : entry_storage<T> {
  entry_of() = default;
  template <class Value>
  explicit entry_of(const arrival<Value>& from) {
    this->construct(from);
  }
  explicit entry_of(bare_arrival from) {
    this->note = from.note;
    this->time = 0;
  }
  void destroy_payload() {}
  /// Nothing in it is its own any more.
  void vacate() { this->note = nullptr; }
};

template <class T>
struct entry_of<T, false> : entry_storage<T> {
  static constexpr std::int64_t vacated = std::numeric_limits<std::int64_t>::min();

  entry_of() {
    this->time = vacated;
    this->note = nullptr;
  }
  template <class Value>
  explicit entry_of(const arrival<Value>& from) {
    this->construct(from);
  }
  explicit entry_of(bare_arrival from) {
    this->note = from.note;
    this->time = 0;
  }
  entry_of(const entry_of& other) noexcept { relocate(const_cast<entry_of&>(other)); }
  entry_of& operator=(const entry_of& other) noexcept {
    relocate(const_cast<entry_of&>(other));
    return *this;
  }
  ~entry_of() {
    if (this->time == vacated) return;
    if (this->has_payload()) destroy_payload();
    annotation::release(this->note);
  }

  void destroy_payload() { std::destroy_at(this->place()); }
  void vacate() {
    this->time = vacated;
    this->note = nullptr;
  }

 private:
  void relocate(entry_of& other) noexcept {
    this->time = other.time;
    this->note = other.note;
    if (other.time == vacated) return;
    if (this->has_payload()) {
      ::new (static_cast<void*>(this->bytes)) stored<T>(std::move(*other.place()));
      other.destroy_payload();
    }
    other.vacate();
  }
};

/// How a log, which knows no T, handles the entries of one T.
struct payload_type {
  std::type_index type;
  std::size_t stride;
  std::size_t alignment;
  bool trivial;                     ///< payloads need no destruction
  void (*destroy_payload)(entry*);  ///< the entry has a payload
};

template <class T>
const payload_type& payload_type_of() {
  static const payload_type self{typeid(T), sizeof(entry_of<T>), alignof(entry_of<T>),
                                 std::is_trivially_destructible_v<stored<T>>,
                                 [](entry* e) { static_cast<entry_of<T>*>(e)->destroy_payload(); }};
  return self;
}

}  // namespace actorbus::core
