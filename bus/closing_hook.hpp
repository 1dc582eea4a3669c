// The registration of a function that a closing bus calls. Its destructor takes it back.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace actorbus {

namespace core {
class bus_core;
}

class closing_hook {
 public:
  closing_hook() = default;
  closing_hook(std::weak_ptr<core::bus_core> bus, std::uint64_t id) : bus_(std::move(bus)), id_(id) {}
  closing_hook(closing_hook&& other) noexcept : bus_(std::move(other.bus_)), id_(std::exchange(other.id_, 0)) {}
  closing_hook& operator=(closing_hook&& other) noexcept {
    std::swap(bus_, other.bus_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~closing_hook();

 private:
  std::weak_ptr<core::bus_core> bus_;
  std::uint64_t id_ = 0;
};

}  // namespace actorbus
