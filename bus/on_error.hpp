// What follows when a handler throws: perhaps some retries, then one of three outcomes.
//
// A retry holds its own subscription (with a key, that key's events), keeps the order, and occupies no worker.
// Threads: any; a value.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace actorbus {

class on_error {
 public:
  enum class outcome {
    ignore,       ///< the event is counted as failed, the next one follows
    cancel,       ///< the subscription ends
    dead_letter,  ///< the event goes to `dead_letter_topic()`, the next one follows
  };

  /// No delay grows longer than this.
  static constexpr std::chrono::nanoseconds longest_delay = std::chrono::minutes(1);

  static on_error ignore();
  static on_error cancel();

  /// Throws errc::invalid_topic unless `topic` is a topic name.
  static on_error dead_letter(std::string topic);

  /// Calls the handler again up to `times` times, the first time after `first_delay`, each later delay `factor` times
  /// longer; if all fail, `ignore` unless a `then_` says otherwise. Throws errc::invalid_argument if `first_delay` is
  /// negative or `factor` is not a finite number of at least 1.
  static on_error retry(std::size_t times, std::chrono::nanoseconds first_delay, double factor = 2.0);

  /// The same retries with another outcome. Throws errc::invalid_topic unless `topic` is a topic name.
  on_error then_ignore() const;
  on_error then_cancel() const;
  on_error then_dead_letter(std::string topic) const;

  /// How often to call again after the first failure.
  std::size_t retries() const noexcept { return retries_; }

  /// How long to wait before retry `attempt`, counted from 1: first_delay * factor^(attempt - 1), at most
  /// `longest_delay`, however large `attempt` or `first_delay`.
  std::chrono::nanoseconds delay(std::size_t attempt) const noexcept;

  /// What follows once no retry is left.
  outcome finally() const noexcept { return finally_; }

  /// Empty unless `finally()` is `dead_letter`.
  const std::string& dead_letter_topic() const noexcept { return dead_letter_topic_; }

  friend bool operator==(const on_error&, const on_error&) = default;

 private:
  on_error() = default;

  std::size_t retries_ = 0;
  std::chrono::nanoseconds first_delay_{0};
  double factor_ = 1.0;
  outcome finally_ = outcome::ignore;
  std::string dead_letter_topic_;
};

}  // namespace actorbus
