// The registration of a history source for the topics of a pattern. Its destructor takes it back.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace actorbus {

namespace core {
class bus_core;
}

class history_hook {
 public:
  history_hook() = default;
  history_hook(std::weak_ptr<core::bus_core> bus, std::uint64_t id) : bus_(std::move(bus)), id_(id) {}
  history_hook(history_hook&& other) noexcept : bus_(std::move(other.bus_)), id_(std::exchange(other.id_, 0)) {}
  history_hook& operator=(history_hook&& other) noexcept {
    std::swap(bus_, other.bus_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~history_hook();

 private:
  std::weak_ptr<core::bus_core> bus_;
  std::uint64_t id_ = 0;
};

}  // namespace actorbus
