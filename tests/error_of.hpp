// The error code that a call throws.
#pragma once

#include <system_error>
#include <utility>

#include <bus/errors.hpp>

namespace actorbus::testing {

/// Success if nothing was thrown. Other exceptions pass.
template <class Call>
std::error_code error_of(Call&& call) {
  try {
    std::forward<Call>(call)();
  } catch (const bus_error& error) {
    return error.code();
  }
  return {};
}

}  // namespace actorbus::testing
