// The pool of connections for requests, on the loop of a bridge that has nothing else to do.
#include <future>
#include <memory>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/connection_pool.hpp>
#include <bus/bus.hpp>

#include "tests/catch.hpp"
#include "tests/eventually.hpp"
#include "tests/redis/bridge/diary.hpp"
#include "tests/redis/redis_server.hpp"

using namespace actorbus;
using namespace actorbus::testing;
using namespace std::chrono_literals;
using redis::connection_pool;

TEST_CASE("the pool serves in turn those who wait, and gives up those whose time is over", "[redis][pool]") {
  const redis_server server;
  bus local;
  diary told;
  const auto core =
      std::make_shared<redis::bridge_core>(local.core(), redis::bridge_options{.uri = server.uri(), .pool = 1});
  core->start();
  const auto late = connection_pool::clock::now() + 1h;
  connection_pool::loan held;
  std::promise<void> lent;
  core->loop().post([&] {
    core->pool().borrow(late, [&](const connection_pool::loan& by) {
      held = by;
      lent.set_value();
    });
  });
  lent.get_future().get();
  core->loop().post([&] {
    for (int i = 1; i <= 5; ++i) {
      const auto until = i == 3 ? connection_pool::clock::now() + 1ms : late;
      core->pool().borrow(until, [&told, i](const connection_pool::loan& by) {
        told.add((by ? "lent to " : "given up: ") + std::to_string(i));  // and given back
      });
    }
  });
  REQUIRE(eventually([&] { return told.has("given up: 3"); }));
  CHECK(told.get().size() == 1);
  core->loop().post([&] { held.reset(); });
  REQUIRE(eventually([&] { return told.get().size() == 5; }));
  CHECK(told.get() == lines{"given up: 3", "lent to 1", "lent to 2", "lent to 4", "lent to 5"});
  CHECK(core->sum_up().connections_made <= 2);  // the pool's, and the one for commands
  core->close(0s);
}
