#include "tests/contract/scene.hpp"

#include <exception>
#include <latch>
#include <thread>
#include <vector>

#include "tests/contract/history_checker.hpp"

namespace actorbus::contract {

namespace {

/// Differs for different values and for different headers; those that begin with `without` do not count.
std::uint64_t digest(std::uint64_t value, const headers& with, const std::string& without = {}) {
  for (const auto& [key, text] : with) {
    if (!without.empty() && key.rfind(without, 0) == 0) continue;
    for (const char c : key + '=' + text + ';') value = (value ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  return value;
}

parcel parcel_of(std::uint32_t publisher, std::uint64_t counter) {
  return {publisher, counter, (publisher + 1) * 0x9E3779B97F4A7C15u ^ counter * 0xC2B2AE3D27D4EB4Fu};
}

/// Some events carry headers and some do not.
headers headers_of(const parcel& what) {
  if (what.counter % 4 != 0) return {};
  return {{"publisher", std::to_string(what.publisher)}, {"counter", std::to_string(what.counter)}};
}

}  // namespace

void receiver::take(const event<parcel>& what) {
  if (first_) first_(what);
  const bool again = kind_.came_again && kind_.came_again(what);
  record_.received(what->publisher, what->counter, digest(what->value, what.headers(), kind_.adds_headers),
                   what.sequence(), again);
  arrived_.add();
}

scene::scene(const delivery_kind& kind)
    : kind_(kind), from_(kind.open_publisher_side()), to_(kind.open_subscriber_side(from_)) {}

scene::source& scene::find(std::uint32_t id, const std::string& topic) {
  std::lock_guard lock(mutex_);
  for (auto& [known, one] : sources_) {
    if (known == id) return one;
  }
  source& fresh = sources_.emplace_back(id, source{}).second;
  fresh.out = from_->open(topic);
  fresh.record = &history_.publisher(id, topic);
  return fresh;
}

std::error_code scene::publish_until_refused(std::uint32_t id, const std::string& topic, std::uint64_t most) {
  source& by = find(id, topic);
  for (std::uint64_t i = 0; i < most; ++i) {
    const parcel what = parcel_of(id, by.counter + 1);
    const headers with = headers_of(what);
    if (const auto refused = by.out->publish(what, with)) return refused;
    by.record->accepted(++by.counter, digest(what.value, with));
  }
  return {};
}

void scene::publish(std::uint32_t id, const std::string& topic, std::uint64_t count) {
  if (const auto refused = publish_until_refused(id, topic, count)) {
    complain("publisher " + std::to_string(id) + " was refused: " + refused.message());
  }
}

void scene::leave(std::uint32_t id) {
  std::lock_guard lock(mutex_);
  for (auto& [known, one] : sources_) {
    if (known == id) one.out.reset();
  }
}

receiver& scene::receive(const std::string& name, const std::string& topic, wishes how, receiver::meeting first) {
  receiver* fresh;
  {
    std::lock_guard lock(mutex_);
    fresh = &receivers_.emplace_back(kind_, history_.subscriber(name, topic), std::move(first));
  }
  how.on_gap = [fresh] { fresh->record().gap(); };
  if (!how.group.empty()) fresh->record().joins(how.group);
  try {
    fresh->open(to_->subscribe(
        topic, [fresh](const event<parcel>& e) { fresh->take(e); }, how));
  } catch (...) {  // one that was refused was promised nothing
    fresh->record().expects({.after = std::nullopt, .to_the_end = false, .sequenced = kind_.can.total_order});
    throw;
  }
  return *fresh;
}

void scene::expect(gauge& what, std::uint64_t count, const std::string& name) {
  if (what.wait_for(count)) return;
  complain("\"" + name + "\" waited in vain for " + std::to_string(count) + " events; it has " +
           std::to_string(what.count()));
}

void scene::expect(receiver& who, std::uint64_t count) { expect(who.arrived(), count, who.record().name()); }

void scene::complain(const std::string& what) {
  std::lock_guard lock(mutex_);
  complaints_ += what + '\n';
}

void scene::close_publishing() {
  if (const auto wrong = from_->close(); !wrong.empty()) complain(wrong);
}

void scene::close_subscribing() {
  if (const auto wrong = to_->close(); !wrong.empty()) complain(wrong);
}

std::string scene::end(expectations promised) {
  close_publishing();
  close_subscribing();
  for (receiver& each : receivers_) {
    if (!each.read_to_the_end()) complain("\"" + each.record().name() + "\" did not come to its end");
    each.cancel();
  }
  promised.sequenced = promised.sequenced && kind_.can.total_order;
  return complaints_ + describe(check(history_, promised));
}

void together(scene& in, std::size_t count, const std::function<void(std::size_t)>& play) {
  std::latch start(static_cast<std::ptrdiff_t>(count));
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      try {
        play(i);
      } catch (const std::exception& error) {
        in.complain(std::string("thrown: ") + error.what());
      }
    });
  }
  for (auto& each : threads) each.join();
}

}  // namespace actorbus::contract
