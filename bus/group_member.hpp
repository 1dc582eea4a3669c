// A member of a group: a subscription whose events come from the group's list, one at a time.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include <bus/group.hpp>
#include <bus/subscriber.hpp>

namespace actorbus::core {

/// Its cursors are ledgers, attached to no topic.
class group_member final : public subscriber {
 public:
  group_member(std::shared_ptr<group> of, settings with, conduct how, std::unique_ptr<sink> to);

  group& of() const { return *group_; }
  bool run() override;
  void cancel() override;
  /// The group has something new: wakes it if it was idle.
  bool ring_if_idle();
  totals ledger() const { return subscriber::account(); }
  /// What counts is the group's account.
  totals account() const override { return {}; }
  bool counts_for_quiet() const override { return false; }

 protected:
  bool work() override;
  bool has_news() const override { return group_->has_claimable(*this); }
  void on_tear_down() override;
  bool on_failure(const batch& at) override;

 private:
  cursor& ledger_for(const std::shared_ptr<topic_core>& topic);
  /// Behind the last event of a topic that ended.
  bool tell_finished();

  const std::shared_ptr<group> group_;
  std::optional<shared_event> current_;
  std::unordered_map<const topic_core*, std::shared_ptr<cursor>> ledgers_;
};

}  // namespace actorbus::core
