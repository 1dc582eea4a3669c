// The subscriber's end of a delivery by consumer groups: each subscriber is a consumer, of the group that it asks for
// or else of one of its own.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "tests/redis/contract/bridged_sides.hpp"

namespace actorbus::contract {

class grouped_subscriber_side final : public subscriber_side {
 public:
  explicit grouped_subscriber_side(std::shared_ptr<publisher_side> from);

  std::unique_ptr<intake> subscribe(const std::string& topic, receive to, const wishes& how) override;
  /// Receives all that was sent before.
  std::string close() override;

 private:
  bridged_publisher_side& from() const { return static_cast<bridged_publisher_side&>(*from_); }
  bool has_read_all();

  const std::shared_ptr<publisher_side> from_;
  bus bus_;
  redis::bridge bridge_;
  std::mutex mutex_;  // guards what follows
  std::uint64_t groups_ = 0;
  std::multiset<std::pair<std::string, std::string>> consumed_;  ///< topics and groups that have a consumer
};

}  // namespace actorbus::contract
