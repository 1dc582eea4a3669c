#include <bus/chunk.hpp>

#include <cstdint>

#include "tests/bus/counted.hpp"
#include "tests/catch.hpp"

using namespace actorbus;

namespace {

template <class T>
std::shared_ptr<core::topic_identity> identity_of() {
  return std::make_shared<core::topic_identity>("chunk", core::payload_type_of<T>());
}

template <class T>
void fill(core::chunk& to, T value) {
  ::new (static_cast<void*>(to.free_slot())) core::entry_of<T>(core::arrival<T>{&value, nullptr});
  to.add(1);
}

struct alignas(64) aligned {
  char bytes[64];
};

}  // namespace

TEST_CASE("a chunk counts its entries from its first sequence", "[chunk]") {
  auto* c = core::chunk::make(identity_of<int>(), 10, 4);
  fill(*c, 1);
  fill(*c, 2);
  CHECK(c->first() == 10);
  CHECK(c->past() == 12);
  CHECK(c->room() == 2);
  CHECK(*static_cast<core::entry_of<int>*>(c->at(11))->value() == 2);
  c->unpin();
}

TEST_CASE("over-aligned payloads are aligned in a chunk", "[chunk]") {
  auto* c = core::chunk::make(identity_of<aligned>(), 1, 3);
  for (int i = 0; i < 3; ++i) fill(*c, aligned{});
  for (std::uint64_t s = 1; s <= 3; ++s) {
    const void* at = static_cast<core::entry_of<aligned>*>(c->at(s))->value();
    CHECK(reinterpret_cast<std::uintptr_t>(at) % 64 == 0);
  }
  c->unpin();
}

TEST_CASE("whoever drops the last pin destroys the payloads that are left", "[chunk]") {
  testing::census census;
  auto* c = core::chunk::make(identity_of<testing::counted>(), 1, 4);
  for (int i = 0; i < 3; ++i) fill(*c, testing::counted{census, i});
  c->pin();
  CHECK_FALSE(c->is_quiet());
  c->destroy_before(2);
  CHECK(census.living() == 2);
  c->unpin();
  CHECK(c->is_quiet());
  CHECK(census.living() == 2);
  c->unpin();
  CHECK(census.living() == 0);
}

TEST_CASE("destroying twice before the same sequence destroys once", "[chunk]") {
  testing::census census;
  auto* c = core::chunk::make(identity_of<testing::counted>(), 5, 4);
  for (int i = 0; i < 3; ++i) fill(*c, testing::counted{census, i});
  c->destroy_before(7);
  c->destroy_before(7);
  CHECK(census.living() == 1);
  CHECK_FALSE(c->has_undestroyed_before(7));
  CHECK(c->has_undestroyed_before(8));
  c->unpin();
}

TEST_CASE("a chunk the log has let go of counts as pinned while somebody holds it", "[chunk]") {
  auto identity = identity_of<int>();
  auto* c = core::chunk::make(identity, 1, 4);
  c->pin();
  c->unlink();
  CHECK(identity->pinned_chunks == 1);
  c->unpin();
  CHECK(identity->pinned_chunks == 0);
}

TEST_CASE("a quiet chunk serves again from another sequence", "[chunk]") {
  auto* c = core::chunk::make(identity_of<int>(), 1, 2);
  fill(*c, 1);
  c->destroy_before(2);
  c->reuse(9);
  CHECK(c->first() == 9);
  CHECK(c->room() == 2);
  fill(*c, 7);
  CHECK(*static_cast<core::entry_of<int>*>(c->at(9))->value() == 7);
  c->unpin();
}

TEST_CASE("a payload reference keeps another event's payload", "[chunk]") {
  testing::census census;
  auto* c = core::chunk::make(identity_of<testing::counted>(), 1, 2);
  fill(*c, testing::counted{census, 3});
  {
    core::payload_reference kept(c, static_cast<core::entry_of<testing::counted>*>(c->at(1))->value());
    c->unpin();
    CHECK(census.living() == 1);
    const core::payload_reference moved = std::move(kept);
    CHECK(static_cast<const testing::counted*>(moved.value())->value() == 3);
  }
  CHECK(census.living() == 0);
}

TEST_CASE("chunks that refer to each other's payloads, or to their own, do not keep each other alive", "[chunk]") {
  testing::census census;
  auto* a = core::chunk::make(identity_of<testing::counted>(), 1, 2);
  auto* b = core::chunk::make(identity_of<testing::counted>(), 1, 3);
  fill(*a, testing::counted{census, 1});
  fill(*b, testing::counted{census, 2});
  auto refer = [](core::chunk& from, core::chunk& to) {
    auto* note = new core::annotation;
    note->elsewhere = {&to, static_cast<core::entry_of<testing::counted>*>(to.at(1))->value()};
    ::new (static_cast<void*>(from.free_slot())) core::entry_of<testing::counted>(core::bare_arrival{note});
    from.add(1);
  };
  refer(*a, *b);
  refer(*b, *a);
  refer(*b, *b);
  CHECK_FALSE(a->is_quiet());
  a->unpin();
  CHECK(census.living() == 2);
  CHECK(static_cast<core::entry_of<testing::counted>*>(b->at(2))->value()->value() == 1);
  b->unpin();
  CHECK(census.living() == 0);
}
