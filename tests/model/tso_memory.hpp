// Memory as an x86 processor shows it to several threads: each store waits in its thread's buffer, visible to that
// thread alone, until it drains; buffers drain in order, at any time. So a load may be done before an older store is
// visible, which is the one reordering there is, and the one that a fence between them forbids.
//
// A read-modify-write and a fence wait until their thread's buffer is empty. Stores and loads are release and acquire
// by nature.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace actorbus::model {

template <std::size_t Threads, std::size_t Variables>
class tso_memory {
 public:
  using value = std::int8_t;

  value load(std::size_t thread, std::size_t variable) const {
    const buffer& own = buffers_[thread];
    for (std::size_t i = own.size; i != 0; --i) {
      if (own.stores[i - 1].variable == variable) return own.stores[i - 1].what;
    }
    return values_[variable];
  }

  /// The buffer has room for another store.
  bool can_store(std::size_t thread) const { return buffers_[thread].size < buffer_places; }
  void store(std::size_t thread, std::size_t variable, int what) {
    buffer& own = buffers_[thread];
    own.stores[own.size++] = {static_cast<std::uint8_t>(variable), static_cast<value>(what)};
  }

  /// All of the thread's stores are visible: it may pass a fence, or read, modify and write.
  bool is_drained(std::size_t thread) const { return buffers_[thread].size == 0; }

  /// Makes the oldest waiting store visible. False: there is none.
  bool drain_one(std::size_t thread) {
    buffer& own = buffers_[thread];
    if (own.size == 0) return false;
    values_[own.stores[0].variable] = own.stores[0].what;
    std::move(own.stores.begin() + 1, own.stores.end(), own.stores.begin());
    own.stores.back() = {};
    --own.size;
    return true;
  }

  /// What is visible to all: for a read-modify-write, which is_drained() allows, for the beginning and for the end.
  value& operator[](std::size_t variable) { return values_[variable]; }
  value operator[](std::size_t variable) const { return values_[variable]; }

  /// Compare and exchange, for a thread whose buffer is drained.
  bool change(std::size_t variable, int from, int to) {
    if (values_[variable] != from) return false;
    values_[variable] = static_cast<value>(to);
    return true;
  }

 private:
  static constexpr std::size_t buffer_places = 4;

  struct waiting {
    std::uint8_t variable = 0;
    value what = 0;
  };
  struct buffer {
    std::array<waiting, buffer_places> stores{};
    std::uint8_t size = 0;
  };

  std::array<value, Variables> values_{};
  std::array<buffer, Threads> buffers_{};
};

}  // namespace actorbus::model
