// One handler made of several: of events and of the notices it wants.
#pragma once

namespace actorbus {

/// Notices go to the members that name one as their parameter: not to generic lambdas, and not to a class with several
/// call operators of its own, whose parameters cannot be read.
/// As `overloaded{[](const event<pose>&) {...}, [](const lagged&) {...}}`.
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};

template <class... F>
overloaded(F...) -> overloaded<F...>;

}  // namespace actorbus
