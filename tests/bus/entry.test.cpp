#include <bus/entry.hpp>

#include <array>
#include <memory>
#include <string>
#include <type_traits>

#include <bus/chunk.hpp>

#include "tests/bus/counted.hpp"
#include "tests/catch.hpp"

using namespace actorbus;
using core::arrival;
using core::entry_of;

namespace {

struct throwing_move {
  throwing_move() = default;
  throwing_move(throwing_move&&) noexcept(false) {}
};

using large = std::array<char, core::max_inline_payload + 1>;
using large_enough = std::array<char, core::max_inline_payload>;

}  // namespace

TEST_CASE("a payload is boxed if it is large or its move may throw", "[entry]") {
  CHECK_FALSE(core::is_boxed<int>);
  CHECK_FALSE(core::is_boxed<std::unique_ptr<int>>);
  CHECK_FALSE(core::is_boxed<large_enough>);
  CHECK(core::is_boxed<large>);
  CHECK(core::is_boxed<throwing_move>);
}

TEST_CASE("entries of trivial payloads relocate as bytes", "[entry]") {
  CHECK(std::is_trivially_copyable_v<entry_of<int>>);
  CHECK(std::is_trivially_destructible_v<entry_of<int>>);
  CHECK_FALSE(std::is_trivially_copyable_v<entry_of<std::string>>);
}

TEST_CASE("an entry costs a time, an annotation and the payload", "[entry]") {
  CHECK(sizeof(entry_of<std::uint64_t>) == 24);
  CHECK(sizeof(entry_of<std::array<std::uint64_t, 4>>) == 48);
}

TEST_CASE("an arrival of const is copied from, any other is moved from", "[entry]") {
  std::string text = "longer than a small string, so that a move shows";
  {
    const entry_of<std::string> copied(arrival<const std::string>{&text, nullptr});
    CHECK(*copied.value() == text);
  }
  CHECK_FALSE(text.empty());
  const entry_of<std::string> moved(arrival<std::string>{&text, nullptr});
  CHECK(moved.value()->size() > 20);
  CHECK(text.empty());
}

TEST_CASE("assignment relocates: the payload lives once, the source is empty", "[entry]") {
  testing::census census;
  {
    testing::counted value{census, 7};
    entry_of<testing::counted> from(arrival<testing::counted>{&value, nullptr});
    entry_of<testing::counted> to;
    to = from;
    CHECK(census.living() == 1);
    CHECK(to.value()->value() == 7);
    const entry_of<testing::counted> further(to);
    CHECK(further.value()->value() == 7);
    CHECK(census.living() == 1);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("a boxed payload relocates by its box", "[entry]") {
  using boxed = testing::basic_counted<false, 0>;
  static_assert(core::is_boxed<boxed>);
  testing::census census;
  {
    boxed value{census, 7};
    entry_of<boxed> from(arrival<boxed>{&value, nullptr});
    const boxed* at = from.value();
    const entry_of<boxed> to(from);
    CHECK(to.value() == at);
    CHECK(census.living() == 1);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("an entry releases its annotation with its payload", "[entry]") {
  testing::census census;
  auto* note = new core::annotation;
  const core::annotation_ptr watched = [&] {
    note->retain();
    return core::annotation_ptr(note);
  }();
  {
    testing::counted value{census, 1};
    const entry_of<testing::counted> e(arrival<testing::counted>{&value, note});
  }
  CHECK(census.living() == 0);
  CHECK(watched.get() == note);  // the use of ours is the last; sanitizers would tell if the entry took it
}

TEST_CASE("an entry that is a notice has no payload", "[entry]") {
  auto* note = new core::annotation;
  note->notice = std::make_unique<const log_notice>(gap{"", "cut off"});
  const entry_of<std::string> e(core::bare_arrival{note});
  CHECK_FALSE(e.has_payload());
}

TEST_CASE("an entry may refer to another event's payload", "[entry]") {
  auto identity = std::make_shared<core::topic_identity>("t", core::payload_type_of<std::string>());
  auto* holder = core::chunk::make(identity, 1, 1);
  std::string text = "elsewhere";
  ::new (static_cast<void*>(holder->free_slot())) entry_of<std::string>(arrival<std::string>{&text, nullptr});
  holder->add(1);
  const auto* origin = static_cast<entry_of<std::string>*>(holder->at(1));
  auto* note = new core::annotation;
  note->elsewhere = core::payload_reference(holder, origin->value());
  holder->unpin();
  const entry_of<std::string> e(core::bare_arrival{note});
  CHECK_FALSE(e.has_payload());
  CHECK(*e.value() == "elsewhere");
}

TEST_CASE("a log knows of a payload its type, its place and how to destroy it", "[entry]") {
  const auto& trivial = core::payload_type_of<int>();
  CHECK(trivial.type == typeid(int));
  CHECK(trivial.trivial);
  CHECK(trivial.stride == sizeof(entry_of<int>));
  const auto& heavy = core::payload_type_of<testing::counted>();
  CHECK_FALSE(heavy.trivial);
  CHECK(&heavy == &core::payload_type_of<testing::counted>());
}
