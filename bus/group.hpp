// Subscriptions that share the events of one cursor among them: each event goes to exactly one member.
//
// The group reads like a subscription and hands on to a short list; its members take from the list what they may, one
// event at a time. A keyed event waits for the member that has its key, and behind an earlier event of that key. A
// member that leaves puts back what it had not finished.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <bus/key_function.hpp>
#include <bus/subscriber.hpp>

namespace actorbus::core {

class group_member;

/// An event on its way to a member. Pins its chunk.
struct shared_event {
  stretch pinned;
  std::uint64_t index;    ///< its place in the chunk's numbering
  bool numbered;          ///< false: from a history source
  std::uint64_t may_lag;  ///< further behind, the group's overflow drops it
  std::shared_ptr<topic_core> topic;
  std::optional<std::size_t> key;
  std::size_t attempts = 0;

  entry_view view() const { return {pinned.holder(), pinned.holder()->at(index), numbered ? index : 0}; }
};

class group final : public subscriber {
 public:
  /// Events handed on and not yet taken, so that members rarely find nothing. With a key up to the capacity: the events
  /// of a key whose retry waits must not keep others back.
  static constexpr std::size_t waiting_bound = 64;

  group(std::shared_ptr<bus_core> bus, settings with, conduct how, std::string name, key_function key,
        const void* (*value_of)(const entry_view&));

  const std::string& group_name() const { return name_; }
  bool is_keyed() const { return static_cast<bool>(key_); }
  const key_function& key() const { return key_; }

  void join(std::shared_ptr<group_member> who);
  /// Returns true if `who` was the last: the group ends.
  bool leave(const group_member& who, std::vector<shared_event> unfinished);

  /// The next event that `who` may have; it finishes it, parks it, or puts it back by leaving.
  std::optional<shared_event> claim(group_member& who);
  bool has_claimable(const group_member& who) const;
  void finish(const shared_event& what);
  /// A keyed event whose retry waits: its key rests, its member goes on.
  void park(shared_event what, std::chrono::nanoseconds delay);
  /// A member that was woken rests instead (it was paused, or holds for a retry): what it was woken for is anybody's.
  void pass_on_wake();

  /// From the dispatching sink. False: `bound` events wait already, it was not taken.
  bool hand_on(shared_event what, std::size_t bound);
  std::size_t key_of(const entry_view& view) const { return key_(view.metadata(), value_of_(view)); }

  bool has_handled(const cursor& of, std::uint64_t sequence) const override;
  totals account() const override;
  std::uint64_t lag() const override;
  std::size_t members() const;
  /// Unless every member is paused.
  bool holds_up_closing() const override;
  /// Its topic has ended, and everything handed on was handled: the reason to tell the members.
  std::optional<finish_reason> has_finished() const;
  void end(finish_reason why) override;

 protected:
  void on_tear_down() override;
  /// What was handed on is still to be handled; then each member is told, and ends.
  void on_finished(finish_reason why) override;

 private:
  struct key_state {
    group_member* holder;
    std::size_t events = 0;  ///< waiting, in a handler, or parked
    bool blocked = false;    ///< one is in a handler or parked
  };
  using waiting_list = std::list<shared_event>;

  waiting_list::iterator find_for(const group_member& who);
  void drop_overdue(waiting_list& gone);
  bool is_exhausted() const { return finished_.has_value() && waiting_.empty() && taken_.empty(); }
  void unblock(const shared_event& what);
  void put_back(shared_event what);
  void wake_members(std::size_t count);

  const std::string name_;
  const key_function key_;
  const void* (*const value_of_)(const entry_view&);
  mutable std::mutex sharing_;  // guards what follows
  std::vector<std::shared_ptr<group_member>> members_;
  waiting_list waiting_;
  std::vector<std::pair<const topic_core*, std::uint64_t>> taken_;  ///< in handlers, or parked
  std::unordered_map<std::size_t, key_state> keys_;
  std::size_t full_at_ = 0;    ///< the bound that was reached, 0: none was
  std::uint64_t overdue_ = 0;  ///< dropped from the list by the group's overflow
  std::optional<finish_reason> finished_;
  bool over_ = false;  ///< torn down: members that are left, or join now, end
  std::size_t next_member_ = 0;
  totals of_former_members_;
};

}  // namespace actorbus::core
