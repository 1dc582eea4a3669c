// A publisher's lock-free mailbox at a topic: a boost::lockfree::spsc_queue and, for what it cannot hold, a spill.
//
// Threads: one producer at a time (a publisher, a thread's `topic.publish`, a subscription's handler); one consumer at
// a time (the topic's writer). A push is wait-free. When full: push refuses and has not touched its argument. Handlers,
// which must not wait, and publish_async go on to the spill, a locked queue behind the ring that keeps the producer's
// order; the topic bounds all its spills together. When sealed: the topic has let go of the lane. A producer that
// pushes at that moment finds out (`settle`) and takes the entry back, so an entry is either drained or still its
// publisher's.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <bus/entry.hpp>
#include <bus/errors.hpp>
#include <bus/log.hpp>
#include <bus/prefetch.hpp>
#include <bus/wait_point.hpp>

namespace actorbus::core {

class lane {
 public:
  virtual ~lane() = default;

  /// Entries ever accepted. Release store after the entry; acquire here: an entry counted can be drained.
  std::uint64_t pushed() const { return pushed_.load(std::memory_order_acquire); }
  /// Entries ever taken by the topic, each in its log or abandoned.
  std::uint64_t drained() const { return drained_.load(std::memory_order_acquire); }
  bool empty() const { return pushed() == drained(); }
  std::size_t spilled() const { return spilled_.load(std::memory_order_acquire); }

  /// Consumer: moves at most `limit` entries to the end of `to`, stamped `time`; returns how many.
  virtual std::size_t drain(log& to, std::size_t limit, std::int64_t time) = 0;
  /// Consumer: destroys everything in it; returns how many. Promises in the spill become `why`.
  virtual std::size_t discard(std::error_code why) = 0;
  /// Producer's view: a push would be refused.
  virtual bool full() const = 0;

  /// Consumer: whether the producer fences between a push and its look at the consumer. Whoever wants to rest, or to
  /// seal the lane, first sets this and, if it was not set, issues a process_fence: pushes that did not see it are then
  /// visible, and later ones see it.
  void set_fenced(bool on) { fenced_.store(on, std::memory_order_relaxed); }
  /// Producer, after a push.
  bool is_fenced() const {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the push comes first, for the compiler too
    return fenced_.load(std::memory_order_relaxed);
  }

  /// Consumer: lets go of the lane, which is fenced, if it is empty. False: a push came in between, the lane stays.
  bool seal() {
    state_.store(state::sealing, std::memory_order_relaxed);
    // Partner: the fence between a push and settle(), issued by the producer or, before this call, for it. Either this
    // sees the push, or the producer sees the seal.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const bool sealed = empty();
    state_.store(sealed ? state::sealed : state::open, std::memory_order_release);
    return sealed;
  }
  bool is_sealed() const { return state_.load(std::memory_order_acquire) == state::sealed; }

  /// Producer, after a push and the fence, if it is fenced: true if the topic has the entries or will have them. False:
  /// they are still in here and nobody's but the producer's.
  bool settle() const {
    state now = state_.load(std::memory_order_acquire);
    if (now == state::open) [[likely]]
      return true;
    while (now == state::sealing) {  // a few instructions of the consumer's
      std::this_thread::yield();
      now = state_.load(std::memory_order_acquire);
    }
    return now == state::open || drained() == pushed_.load(std::memory_order_relaxed);
  }

  /// The producer is gone: once empty, the lane may go.
  void leave() { left_.store(true, std::memory_order_release); }
  bool was_left() const { return left_.load(std::memory_order_acquire); }

  wait_point& room() { return room_; }

  std::uint64_t reclaim_mark =
      ~std::uint64_t{0};  ///< the consumer's: entries drained when it last looked for idle lanes

 protected:
  enum class state : std::uint8_t { open, sealing, sealed };

  void count_pushed(std::size_t n) {
    pushed_.store(pushed_.load(std::memory_order_relaxed) + n, std::memory_order_release);
  }
  void count_drained(std::size_t n) {
    drained_.store(drained_.load(std::memory_order_relaxed) + n, std::memory_order_release);
  }

  // Each on a cache line of its own: what the one writes with every event or batch must not cost the other a miss when
  // it reads something else.
  alignas(64) std::atomic<std::uint64_t> pushed_{0};   // written by the producer
  alignas(64) std::atomic<std::uint64_t> drained_{0};  // written by the consumer
  wait_point room_;
  alignas(64) std::atomic<state> state_{state::open};  // these are written seldom, and read with every push
  std::atomic<bool> fenced_{true};
  std::atomic<bool> left_{false};
  std::atomic<std::size_t> spilled_{0};
};

template <class T>
class lane_of final : public lane {
 public:
  lane_of(std::size_t capacity, std::shared_ptr<topic_identity> topic)
      : topic_(std::move(topic)), ring_(capacity), places_(capacity + 1), ahead_(std::min(places_ / 2, most_ahead)) {
    // The first place, for which spsc_queue has no other name. An entry that holds nothing goes through it.
    ring_.push(entry_of<T>());
    first_place_ = reinterpret_cast<const std::byte*>(&ring_.front());
    ring_.consume_one([](entry_of<T>& e) { e.vacate(); });
    next_place_ = 1 % places_;
  }
  ~lane_of() override { discard(make_error_code(errc::closed)); }

  /// Producer: accepts from `arrivals[0, count)` what fits; returns how many. Arrivals beyond are untouched.
  template <class Arrival>
  std::size_t push(Arrival arrivals, std::size_t count) {
    if (spilled() != 0) return 0;  // what is in the spill goes first
    const auto first = numbered<Arrival>{&arrivals, 0};
    const auto stop = ring_.push(first, numbered<Arrival>{&arrivals, static_cast<std::ptrdiff_t>(count)});
    const auto accepted = static_cast<std::size_t>(stop.index);
    if (accepted != 0) {
      count_pushed(accepted);
      next_place_ += accepted;
      if (next_place_ >= places_) next_place_ -= places_;
      prefetch_ahead();
    }
    return accepted;
  }

  /// Producer: accepts one into the spill, unless the topic's spills hold `bound` entries already.
  template <class Arrival>
  bool spill(const Arrival& arrival, std::size_t bound, std::promise<void>* accepted = nullptr) {
    if (topic_->spilled.fetch_add(1, std::memory_order_relaxed) >= bound) {
      topic_->spilled.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
    std::lock_guard lock(spill_mutex_);
    try {
      spill_.emplace_back(arrival, accepted);
    } catch (...) {  // a payload that cannot be copied
      topic_->spilled.fetch_sub(1, std::memory_order_relaxed);
      throw;
    }
    set_spilled();
    count_pushed(1);
    return true;
  }

  /// Producer, after settle() said false: takes back the one entry left in here. Its payload goes to `take`, its
  /// annotation is the producer's again, a promise goes back to `accepted`.
  template <class Take>
  void recall(Take take, std::promise<void>* accepted = nullptr) {
    auto give = [&](entry_of<T>& e) {
      if (e.has_payload()) {
        take(*e.place());
        e.destroy_payload();
      }
      e.vacate();
    };
    if (spilled() != 0) {
      std::lock_guard lock(spill_mutex_);
      spilled_entry& last = spill_.back();
      give(last.what);
      if (accepted != nullptr && last.accepted) *accepted = std::move(*last.accepted);
      spill_.pop_back();
      topic_->spilled.fetch_sub(1, std::memory_order_relaxed);
      set_spilled();
    } else {
      ring_.consume_one(give);
    }
    pushed_.store(pushed_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
  }

  std::size_t drain(log& to, std::size_t limit, std::int64_t time) override {
    const bool look_in_spill = spilled() != 0;  // before the ring: what was pushed before it spilled is older
    std::size_t total = 0;
    while (total < limit && ring_.read_available() != 0) {
      std::size_t free = 0;
      auto* slots = static_cast<entry_of<T>*>(to.slots(free));
      const std::size_t taken = ring_.pop(slots, std::min(free, limit - total));
      to.append(taken, time);
      total += taken;
    }
    if (look_in_spill && total < limit) total += drain_spill(to, limit - total, time);
    if (total != 0) {
      to.publish();  // first: whoever sees the entries gone from here finds them there
      count_drained(total);
    }
    return total;
  }

  std::size_t discard(std::error_code why) override {
    std::size_t total = ring_.consume_all([](entry_of<T>& e) { forget(e); });
    std::deque<spilled_entry> gone;
    {
      std::lock_guard lock(spill_mutex_);
      gone.swap(spill_);
      topic_->spilled.fetch_sub(gone.size(), std::memory_order_relaxed);
      set_spilled();
    }
    for (auto& each : gone) {
      if (each.accepted) each.accepted->set_exception(std::make_exception_ptr(bus_error(why, "publish_async")));
      forget(each.what);
    }
    total += gone.size();
    count_drained(total);
    return total;
  }

  bool full() const override { return spilled() != 0 || ring_.write_available() == 0; }

 private:
  /// Lets spsc_queue construct its entries straight from what arrives.
  template <class Arrival>
  struct numbered {
    using iterator_category = std::random_access_iterator_tag;
    using value_type = typename Arrival::value_type;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = decltype(std::declval<const Arrival&>()[0]);

    const Arrival* arrivals;
    std::ptrdiff_t index;

    decltype(auto) operator*() const { return (*arrivals)[static_cast<std::size_t>(index)]; }
    numbered& operator++() {
      ++index;
      return *this;
    }
    numbered& operator+=(difference_type n) {
      index += n;
      return *this;
    }
    friend numbered operator+(numbered it, difference_type n) { return it += n; }
    friend difference_type operator-(numbered a, numbered b) { return a.index - b.index; }
    friend bool operator==(numbered a, numbered b) { return a.index == b.index; }
    friend bool operator!=(numbered a, numbered b) { return a.index != b.index; }
  };

  /// The consumer's processor has the places that it read last time round. Fetched back one at a time by the stores,
  /// they make the producer wait; asked for ahead, they come side by side.
  void prefetch_ahead() const {
    std::size_t place = next_place_ + ahead_;
    if (place >= places_) place -= places_;
    const std::byte* const at = first_place_ + place * sizeof(entry_of<T>);
    for (std::size_t line = 0; line < sizeof(entry_of<T>); line += 64) prefetch_for_write(at + line);
  }
  static constexpr std::size_t most_ahead = 16;

  struct spilled_entry {
    template <class Arrival>
    spilled_entry(const Arrival& arrival, std::promise<void>* promise) : what(arrival) {
      if (promise != nullptr) accepted = std::move(*promise);
    }
    entry_of<T> what;
    std::optional<std::promise<void>> accepted;
  };

  /// Trivial entries own their annotation without a destructor that says so.
  static void forget(entry_of<T>& e) {
    if constexpr (std::is_trivially_destructible_v<entry_of<T>>) annotation::release(std::exchange(e.note, nullptr));
  }

  std::size_t drain_spill(log& to, std::size_t limit, std::int64_t time) {
    std::size_t total = 0;
    std::lock_guard lock(spill_mutex_);
    for (; total < limit && !spill_.empty(); ++total, spill_.pop_front()) {
      std::size_t free = 0;
      auto* slot = static_cast<entry_of<T>*>(to.slots(free));
      *slot = spill_.front().what;
      to.append(1, time);
      if (spill_.front().accepted) spill_.front().accepted->set_value();
    }
    topic_->spilled.fetch_sub(total, std::memory_order_relaxed);
    set_spilled();
    return total;
  }

  /// Release, the partner of spilled(): whoever sees the spill sees what the ring holds before it.
  void set_spilled() { spilled_.store(spill_.size(), std::memory_order_release); }

  const std::shared_ptr<topic_identity> topic_;
  boost::lockfree::spsc_queue<entry_of<T>> ring_;
  const std::size_t places_;
  const std::size_t ahead_;
  const std::byte* first_place_ = nullptr;
  std::size_t next_place_ = 0;  // the producer's
  std::mutex spill_mutex_;
  std::deque<spilled_entry> spill_;
};

}  // namespace actorbus::core
