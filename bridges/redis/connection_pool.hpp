// Connections for commands that take their time: requests whose caller waits, and those that block the server's side.
// Nothing that goes out in order waits behind them.
//
// Made when needed, a bounded number; each is lent to one at a time. When all are lent: who asks waits, first come,
// first served. One that dies is dropped, one that nobody needs for a while too. Threads: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include <bridges/redis/connection.hpp>

namespace actorbus::redis {

class bridge_core;

class connection_pool final : public connection_owner {
 public:
  using clock = std::chrono::steady_clock;
  /// Given back with the last copy. The connection may have died meanwhile; its sinks were told.
  using loan = std::shared_ptr<connection>;

  connection_pool(bridge_core& of, std::size_t most);
  ~connection_pool() override;

  /// Calls `use` with a connection that is ready; with null if there was none until then, or never will be.
  void borrow(clock::time_point until, std::function<void(const loan&)> use);
  void stop();

  std::size_t in_use() const;
  std::size_t available() const;

  void on_open(connection& which) override;
  void on_lost(connection& which, const std::string& reason) override;
  void on_push(connection& which, const reply& what) override;

 private:
  struct member {
    std::shared_ptr<connection> link;
    bool is_lent = false;
  };
  struct waiter;

  void serve();
  void lend(member& what, const std::function<void(const loan&)>& use);
  void give_back(const std::shared_ptr<connection>& link);
  void drop(const connection& which);

  bridge_core& core_;
  const std::size_t most_;
  std::vector<member> members_;
  std::deque<std::shared_ptr<waiter>> waiting_;
  bool stopped_ = false;
};

}  // namespace actorbus::redis
