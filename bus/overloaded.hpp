// One handler made of several: of events and of the notices it wants.
#pragma once

namespace actorbus {

/// As `overloaded{[](const event<pose>&) {...}, [](const lagged&) {...}}`.
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};

template <class... F>
overloaded(F...) -> overloaded<F...>;

}  // namespace actorbus
