// The two ends of a delivery through a redis-server: a bus that publishes and one that subscribes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <bridges/redis/bridge.hpp>
#include <bus/bus.hpp>

#include "tests/contract/delivery_kind.hpp"
#include "tests/redis/redis_server.hpp"

namespace actorbus::contract {

/// Sets up the routes of one side.
using routing = std::function<void(redis::bridge&)>;

class bridged_publisher_side final : public publisher_side {
 public:
  explicit bridged_publisher_side(const routing& route);

  std::unique_ptr<outlet> open(const std::string& topic) override;
  /// Closing a bus flushes its bridges.
  std::string close() override;
  void cut_off() override;
  void restore() override { server_.start(); }

  const testing::redis_server& server() const noexcept { return server_; }
  /// Events that the server has acknowledged.
  std::uint64_t sent() const { return bridge_.stats().out; }
  bool was_cut_off() const noexcept { return was_cut_off_; }

 private:
  testing::redis_server server_{{.append_only = true}};
  bus bus_;
  redis::bridge bridge_;
  bool was_cut_off_ = false;
};

class bridged_subscriber_side : public subscriber_side {
 public:
  bridged_subscriber_side(std::shared_ptr<publisher_side> from, const routing& route);

  std::unique_ptr<intake> subscribe(const std::string& topic, receive to, const wishes& how) override;
  /// Receives all that was sent before, unless some of it was lost.
  std::string close() override;

 private:
  bridged_publisher_side& from() const { return static_cast<bridged_publisher_side&>(*from_); }

  const std::shared_ptr<publisher_side> from_;
  bus bus_;
  redis::bridge bridge_;
};

}  // namespace actorbus::contract
