#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/connection_pool.hpp>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include <bridges/redis/bridge_core.hpp>

namespace actorbus::redis {

namespace {

/// Without a request, before a connection goes.
constexpr std::chrono::seconds idle_timeout{30};

}  // namespace

struct connection_pool::waiter {
  waiter(bridge_core& core, clock::time_point until, std::function<void(const loan&)> what)
      : use(std::move(what)), timer(core.loop().context(), until) {}
  std::function<void(const loan&)> use;  ///< empty: it was called
  boost::asio::steady_timer timer;
};

connection_pool::connection_pool(bridge_core& of, std::size_t most) : core_(of), most_(most) {}

connection_pool::~connection_pool() = default;

void connection_pool::borrow(clock::time_point until, std::function<void(const loan&)> use) {
  if (stopped_) return use(nullptr);
  const auto fresh = std::make_shared<waiter>(core_, until, std::move(use));
  waiting_.push_back(fresh);
  fresh->timer.async_wait([this, fresh](boost::system::error_code error) {
    if (error || !fresh->use) return;
    std::erase(waiting_, fresh);
    std::exchange(fresh->use, nullptr)(nullptr);
  });
  serve();
}

void connection_pool::serve() {
  while (!waiting_.empty()) {
    const auto free = std::find_if(members_.begin(), members_.end(),
                                   [](const member& each) { return !each.is_lent && each.link->is_ready(); });
    if (free != members_.end()) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next->timer.cancel();
      lend(*free, std::exchange(next->use, nullptr));
      continue;
    }
    const auto coming = static_cast<std::size_t>(std::count_if(
        members_.begin(), members_.end(), [](const member& each) { return !each.is_lent && !each.link->is_ready(); }));
    if (coming >= waiting_.size() || members_.size() >= most_) return;
    members_.push_back({core_.connect(*this, "requests", false, idle_timeout)});
    members_.back().link->start();
  }
}

void connection_pool::lend(member& what, const std::function<void(const loan&)>& use) {
  what.is_lent = true;
  use(loan(what.link.get(), [weak = core_.weak_from_this(), link = what.link](connection*) {
    // The last copy may go with a closure, anywhere.
    const auto core = weak.lock();
    if (!core) return;
    core->loop().post([weak, link] {
      if (const auto living = weak.lock()) living->pool().give_back(link);
    });
  }));
}

void connection_pool::give_back(const std::shared_ptr<connection>& link) {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const member& each) { return each.link == link; });
  if (found == members_.end()) return;
  found->is_lent = false;
  if (!link->is_ready() && waiting_.empty()) return drop(*link);
  serve();
}

void connection_pool::drop(const connection& which) {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const member& each) { return each.link.get() == &which; });
  if (found == members_.end() || found->is_lent) return;
  const auto gone = std::move(found->link);
  members_.erase(found);
  gone->stop();
  core_.forget(*gone);
}

void connection_pool::on_open(connection&) { serve(); }

void connection_pool::on_lost(connection& which, const std::string&) {
  // Who still waits gets it once it is there again. Not here: it is in the middle of its end.
  if (!waiting_.empty() || stopped_) return;
  core_.loop().post([this, link = which.shared_from_this()] {
    if (link->is_ready()) return;
    if (!waiting_.empty()) return link->want();  // it may rest
    drop(*link);
  });
}

void connection_pool::on_push(connection& which, const reply&) {
  which.drop("the server sent a message nobody asked for");
}

std::size_t connection_pool::in_use() const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [](const member& each) { return each.is_lent; }));
}

std::size_t connection_pool::available() const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(), [](const member& each) { return !each.is_lent && each.link->is_ready(); }));
}

void connection_pool::stop() {
  stopped_ = true;
  for (auto gone = std::exchange(waiting_, {}); const auto& each : gone) {
    each->timer.cancel();
    if (each->use) std::exchange(each->use, nullptr)(nullptr);
  }
  for (const auto& each : members_) each.link->stop();
}

}  // namespace actorbus::redis
