#include <bus/bus.hpp>

#include <thread>

namespace actorbus {

namespace {

/// What ~bus does. Inside a handler it cannot wait for that handler, so another thread does.
void end(std::shared_ptr<core::bus_core> what) {
  auto finish = [](const std::shared_ptr<core::bus_core>& bus) {
    bus->close(bus->options().close_within, true);
    bus->stop();
  };
  if (!core::in_handler()) return finish(what);
  std::thread([what = std::move(what), finish] { finish(what); }).detach();
}

}  // namespace

bus::bus(std::shared_ptr<engine> on, bus_options options)
    : core_(std::make_shared<core::bus_core>(std::move(on), std::move(options))) {}

bus& bus::operator=(bus&& other) noexcept {
  if (this != &other) {
    if (core_) end(std::move(core_));
    core_ = std::move(other.core_);
  }
  return *this;
}

bus::~bus() {
  if (core_) end(std::move(core_));
}

const std::string& bus::name() const { return core_->options().name; }

bool bus::flush(std::chrono::nanoseconds within) { return core_->flush(within); }

bus_snapshot bus::snapshot() const { return core_->snapshot(); }

close_report bus::close(std::chrono::nanoseconds within) { return core_->close(within, true); }

close_report bus::close() { return close(core_->options().close_within); }

close_report bus::abort() { return core_->close(std::chrono::nanoseconds{0}, false); }

closing_hook bus::on_closing(std::function<void(std::chrono::nanoseconds)> hook) {
  return closing_hook(core_, core_->add_on_closing(std::move(hook)));
}

closing_hook::~closing_hook() {
  if (const auto bus = bus_.lock(); bus && id_ != 0) bus->remove_on_closing(id_);
}

history_hook::~history_hook() {
  if (const auto bus = bus_.lock(); bus && id_ != 0) bus->remove_history_source(id_);
}

}  // namespace actorbus
