// What the benchmarks send: payloads that carry a number, so that what arrives can be checked, and a time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace actorbus::bench {

using clock = std::chrono::steady_clock;

inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now().time_since_epoch()).count();
}

/// 32 bytes: the size of a pose or of a trade.
struct small {
  std::uint64_t number;
  std::int64_t sent;  ///< now_ns() of the publisher, where a benchmark asks how long it took
  double values[2];
};
static_assert(sizeof(small) == 32);

/// 256 bytes on the heap.
using text = std::string;

/// 64 KiB: an image.
struct block {
  std::uint64_t number;
  std::array<std::byte, 64 * 1024 - 8> bytes;
};
static_assert(sizeof(block) == 64 * 1024);

template <class T>
T make(std::uint64_t number);

template <>
inline small make<small>(std::uint64_t number) {
  return {number, 0, {1.5, 2.5}};
}
template <>
inline text make<text>(std::uint64_t number) {
  text result(256, 'x');
  std::memcpy(result.data(), &number, sizeof number);
  return result;
}
template <>
inline block make<block>(std::uint64_t number) {
  block result{};
  result.number = number;
  return result;
}

inline std::uint64_t number_of(const small& value) { return value.number; }
inline std::uint64_t number_of(const text& value) {
  std::uint64_t number;
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}
inline std::uint64_t number_of(const block& value) { return value.number; }

}  // namespace actorbus::bench
