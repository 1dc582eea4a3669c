// The conformance suite's payload as bytes: its three numbers, as this machine has them in memory.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <bus/codec.hpp>
#include <bus/errors.hpp>

#include "tests/contract/delivery_kind.hpp"

namespace actorbus {

template <>
struct codec<contract::parcel> {
  static constexpr std::string_view content_type = "application/x-parcel";

  static void encode(const contract::parcel& value, std::string& to) {
    const std::uint64_t numbers[] = {value.publisher, value.counter, value.value};
    to.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  }
  static contract::parcel decode(std::string_view from) {
    std::uint64_t numbers[3];
    if (from.size() != sizeof numbers) throw bus_error(errc::decode_failed, "a parcel has 24 bytes");
    std::memcpy(numbers, from.data(), sizeof numbers);
    return {static_cast<std::uint32_t>(numbers[0]), numbers[1], numbers[2]};
  }
};

}  // namespace actorbus
