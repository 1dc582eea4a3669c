#include <actors/hosted_engine.hpp>

#include <utility>

#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <actors/activity_slot.hpp>
#include <actors/caf_waker.hpp>
#include <bus/wait_point.hpp>

namespace actorbus::actors {

activity_host::activity_host(caf::actor_system& on, std::function<void()> on_thread_start)
    : system(on), workers(static_cast<int>(on.scheduler().num_workers())), alarms(std::move(on_thread_start)) {}

hosted_engine::hosted_engine(caf::actor_system& system, std::function<void()> on_thread_start)
    : host_(system, std::move(on_thread_start)) {}

hosted_engine::~hosted_engine() { hosted_engine::stop(); }

std::unique_ptr<waker> hosted_engine::add(std::weak_ptr<activity> what, placement where) {
  auto slot = std::make_shared<activity_slot>(host_, std::move(what), where);
  auto result = std::make_unique<caf_waker>(slot);  // from here on the slot is closed even if opening it throws
  slot->open();
  return result;
}

engine::time_point hosted_engine::now() const { return std::chrono::steady_clock::now(); }

std::chrono::system_clock::time_point hosted_engine::wall_now() const { return std::chrono::system_clock::now(); }

bool hosted_engine::wait(core::wait_point& at, time_point deadline, const std::function<bool()>& done) {
  return at.wait_until(deadline, [&] { return done(); });
}

void hosted_engine::stop() {
  host_.slots.close_all();
  host_.alarms.close();
}

}  // namespace actorbus::actors
