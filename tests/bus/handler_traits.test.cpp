#include <bus/handler_traits.hpp>

#include <functional>
#include <memory>

#include <bus/notices.hpp>
#include "tests/catch.hpp"

using namespace actorbus;
using core::first_argument_t;
using core::takes_notice;

namespace {

struct two_calls {
  void operator()(const lagged&) const {}
  void operator()(const finished&) const {}
};

struct ref_qualified {
  void operator()(const lagged&) const& noexcept {}
};

struct not_callable {};

[[maybe_unused]] void on_lagged(const lagged&) {}
[[maybe_unused]] void on_lagged_noexcept(lagged) noexcept {}

template <class Notice, class Handler>
constexpr bool takes(const Handler&) {
  return takes_notice<Handler, Notice>;
}

}  // namespace

TEST_CASE("a handler takes the notice that its call operator names", "[handler_traits]") {
  STATIC_REQUIRE(takes<lagged>([](const lagged&) {}));
  STATIC_REQUIRE(takes<lagged>([](lagged) {}));
  STATIC_REQUIRE(takes<lagged>([](lagged&&) noexcept {}));
  STATIC_REQUIRE(takes<lagged>([n = 0](const lagged&) mutable { ++n; }));
  STATIC_REQUIRE(takes<lagged>([n = 0](const lagged&) mutable noexcept { ++n; }));
  STATIC_REQUIRE(takes<lagged>(ref_qualified{}));
  STATIC_REQUIRE_FALSE(takes<finished>([](const lagged&) {}));
  STATIC_REQUIRE_FALSE(takes<lagged>([](int) {}));
  STATIC_REQUIRE_FALSE(takes<lagged>([] {}));
  STATIC_REQUIRE_FALSE(takes<lagged>([](const lagged&, int) {}));
  STATIC_REQUIRE_FALSE(takes<lagged>(not_callable{}));
}

TEST_CASE("a function, a function pointer and a std::function take notices too", "[handler_traits]") {
  STATIC_REQUIRE(takes_notice<decltype(&on_lagged), lagged>);
  STATIC_REQUIRE(takes_notice<decltype(on_lagged), lagged>);
  STATIC_REQUIRE(takes_notice<decltype(on_lagged)&, lagged>);
  STATIC_REQUIRE(takes_notice<decltype(&on_lagged_noexcept), lagged>);
  STATIC_REQUIRE(takes_notice<std::function<void(const lagged&)>, lagged>);
  STATIC_REQUIRE(takes_notice<const std::function<void(const lagged&)>&, lagged>);
}

TEST_CASE("a generic or overloaded call operator takes no notice", "[handler_traits]") {
  STATIC_REQUIRE_FALSE(takes<lagged>([](const auto&) {}));
  STATIC_REQUIRE_FALSE(takes<lagged>([](auto&&...) {}));
  STATIC_REQUIRE_FALSE(takes<lagged>(two_calls{}));
}

TEST_CASE("a class derived from an overloaded takes what its members name", "[handler_traits]") {
  auto members = overloaded{[](int) {}, [](const lagged&) {}};
  struct derived : decltype(members) {};
  STATIC_REQUIRE(takes_notice<derived, lagged>);
  STATIC_REQUIRE_FALSE(takes_notice<derived, finished>);
}

TEST_CASE("an overloaded takes what its non-template members name", "[handler_traits]") {
  const auto handler = overloaded{[](const auto&) {}, [](const lagged&) {}, [](int) {}};
  STATIC_REQUIRE(takes_notice<decltype(handler), lagged>);
  STATIC_REQUIRE_FALSE(takes_notice<decltype(handler), finished>);
  STATIC_REQUIRE_FALSE(takes_notice<decltype(handler), caught_up>);

  const auto nested = overloaded{handler, [](const finished&) {}};
  STATIC_REQUIRE(takes_notice<decltype(nested), lagged>);
  STATIC_REQUIRE(takes_notice<decltype(nested), finished>);

  auto single = overloaded{[owned = std::unique_ptr<int>()](const gap&) mutable { owned.reset(); }};
  STATIC_REQUIRE(takes_notice<decltype(single), gap>);
}

TEST_CASE("an overloaded calls the member that fits", "[handler_traits]") {
  int called = 0;
  const auto handler = overloaded{[&](const lagged&) { called = 1; }, [&](const auto&) { called = 2; }};
  handler(lagged{});
  CHECK(called == 1);
  handler(finished{});
  CHECK(called == 2);
}

TEST_CASE("the first argument is decayed, and void where there is no single one", "[handler_traits]") {
  auto by_reference = [](const std::string&) { return 1; };
  auto by_pointer = [](const char*) {};
  auto generic = [](auto) {};
  STATIC_REQUIRE(std::is_same_v<first_argument_t<decltype(by_reference)>, std::string>);
  STATIC_REQUIRE(std::is_same_v<first_argument_t<decltype(by_reference)&>, std::string>);
  STATIC_REQUIRE(std::is_same_v<first_argument_t<decltype(by_pointer)>, const char*>);
  STATIC_REQUIRE(std::is_same_v<first_argument_t<int (*)(int&)>, int>);
  STATIC_REQUIRE(std::is_same_v<first_argument_t<std::function<int(std::unique_ptr<int>)>>, std::unique_ptr<int>>);
  STATIC_REQUIRE(std::is_void_v<first_argument_t<decltype(generic)>>);
  STATIC_REQUIRE(std::is_void_v<first_argument_t<two_calls>>);
  STATIC_REQUIRE(std::is_void_v<first_argument_t<void (*)()>>);
  STATIC_REQUIRE(std::is_void_v<first_argument_t<int>>);
}
