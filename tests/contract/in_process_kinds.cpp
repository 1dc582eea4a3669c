#include "tests/contract/in_process_kinds.hpp"

#include <spdlog/logger.h>
#include <bus/bus.hpp>

#include "tests/contract/drained_inbox.hpp"

namespace actorbus::contract {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

std::string accounts_of(const close_report& report) {
  const account_totals& t = report.totals;
  std::string wrong;
  if (!report.drained) wrong += "close did not drain the bus\n";
  if (t.adds_up()) return wrong;
  return wrong + "the accounts do not add up: accepted " + std::to_string(t.accepted) + ", appended " +
         std::to_string(t.appended) + ", abandoned by topics " + std::to_string(t.abandoned_by_topics) + "; offered " +
         std::to_string(t.offered) + ", delivered " + std::to_string(t.delivered) + ", filtered " +
         std::to_string(t.filtered) + ", dropped " + std::to_string(t.dropped) + ", abandoned by subscriptions " +
         std::to_string(t.abandoned_by_subscriptions) + '\n';
}

class lane_outlet final : public outlet {
 public:
  explicit lane_outlet(publisher<parcel> to) : to_(std::move(to)) {}
  std::error_code publish(const parcel& what, headers with) override {
    return to_.publish_for(what, patience, std::move(with));
  }

 private:
  publisher<parcel> to_;
};

class bus_publisher_side final : public publisher_side {
 public:
  explicit bus_publisher_side(std::size_t history) : history_(history) {}

  topic<parcel> find(const std::string& name) { return bus_.topic<parcel>(name, {.history = history_}); }
  std::unique_ptr<outlet> open(const std::string& topic) override {
    return std::make_unique<lane_outlet>(find(topic).publisher());
  }
  std::string close() override { return accounts_of(bus_.close(patience)); }

 private:
  const std::size_t history_;
  // One worker may be held by a handler that stands still. The failures are meant, and need no report.
  bus bus_{{.workers = 4, .logger = std::make_shared<spdlog::logger>("silent")}};
};

class handler_intake final : public intake {
 public:
  explicit handler_intake(subscription held) : held_(std::move(held)) {}
  bool read_to_the_end() override { return true; }  // closing a bus waits for its handlers

 private:
  subscription held_;
};

class handler_side final : public subscriber_side {
 public:
  handler_side(std::shared_ptr<publisher_side> both, run_on where) : both_(std::move(both)), where_(where) {}

  std::unique_ptr<intake> subscribe(const std::string& topic, receive to, const wishes& how) override {
    auto source = static_cast<bus_publisher_side&>(*both_).find(topic);
    return std::make_unique<handler_intake>(source.subscribe(
        std::move(to),
        {.from = how.from, .capacity = how.capacity, .run_on = where_, .group = how.group, .on_error = how.on_error}));
  }
  std::string close() override { return both_->close(); }

 private:
  const std::shared_ptr<publisher_side> both_;
  const run_on where_;
};

class inbox_side final : public subscriber_side {
 public:
  explicit inbox_side(std::shared_ptr<publisher_side> both) : both_(std::move(both)) {}

  std::unique_ptr<intake> subscribe(const std::string& topic, receive to, const wishes& how) override {
    auto source = static_cast<bus_publisher_side&>(*both_).find(topic);
    return std::make_unique<drained_inbox>(
        source.inbox({.from = how.from, .overflow = overflow::block, .capacity = how.capacity}), std::move(to));
  }
  std::string close() override { return both_->close(); }

 private:
  const std::shared_ptr<publisher_side> both_;
};

delivery_kind on_one_bus(
    std::string name, bool history, features can,
    std::function<std::shared_ptr<subscriber_side>(const std::shared_ptr<publisher_side>&)> other) {
  can.history = history;
  return {name + (history ? " with history" : ""), can,
          [history] { return std::make_shared<bus_publisher_side>(history ? history_kept : 0); }, std::move(other)};
}

delivery_kind handlers(std::string name, bool history, run_on where) {
  const bool apart = where != run_on::topic;  // inside the topic, one handler slows the topic and groups are refused
  return on_one_bus(
      std::move(name), history,
      {.groups = apart, .retry = true, .blocking = true, .isolation = apart, .total_order = true, .drains = true},
      [where](const std::shared_ptr<publisher_side>& both) { return std::make_shared<handler_side>(both, where); });
}

delivery_kind inboxes(bool history) {
  return on_one_bus("drained inboxes", history,
                    {.blocking = true, .isolation = true, .total_order = true, .drains = true},
                    [](const std::shared_ptr<publisher_side>& both) { return std::make_shared<inbox_side>(both); });
}

}  // namespace

delivery_kind pool_handlers::kind() { return handlers("pool handlers", false, run_on::pool); }
delivery_kind pool_handlers_with_history::kind() { return handlers("pool handlers", true, run_on::pool); }
delivery_kind topic_handlers::kind() { return handlers("topic handlers", false, run_on::topic); }
delivery_kind topic_handlers_with_history::kind() { return handlers("topic handlers", true, run_on::topic); }
delivery_kind own_thread_handlers::kind() { return handlers("own-thread handlers", false, run_on::own_thread); }
delivery_kind own_thread_handlers_with_history::kind() {
  return handlers("own-thread handlers", true, run_on::own_thread);
}
delivery_kind drained_inboxes::kind() { return inboxes(false); }
delivery_kind drained_inboxes_with_history::kind() { return inboxes(true); }

std::vector<delivery_kind> in_process_kinds() {
  return {pool_handlers::kind(),       pool_handlers_with_history::kind(),
          topic_handlers::kind(),      topic_handlers_with_history::kind(),
          own_thread_handlers::kind(), own_thread_handlers_with_history::kind(),
          drained_inboxes::kind(),     drained_inboxes_with_history::kind()};
}

}  // namespace actorbus::contract
