#include <bus/on_error.hpp>

#include <cmath>
#include <utility>

#include <bus/errors.hpp>
#include <bus/names.hpp>

namespace actorbus {

on_error on_error::ignore() { return {}; }

on_error on_error::cancel() { return on_error().then_cancel(); }

on_error on_error::dead_letter(std::string topic) { return on_error().then_dead_letter(std::move(topic)); }

on_error on_error::retry(std::size_t times, std::chrono::nanoseconds first_delay, double factor) {
  if (first_delay < first_delay.zero()) {
    throw bus_error(errc::invalid_argument,
                    "on_error::retry: the first delay is " + std::to_string(first_delay.count()) + " ns, below zero");
  }
  if (!std::isfinite(factor) || factor < 1.0) {
    throw bus_error(errc::invalid_argument,
                    "on_error::retry: the factor is " + std::to_string(factor) + ", not a finite number of at least 1");
  }
  on_error result;
  result.retries_ = times;
  result.first_delay_ = first_delay;
  result.factor_ = factor;
  return result;
}

on_error on_error::then_ignore() const {
  on_error result = *this;
  result.finally_ = outcome::ignore;
  result.dead_letter_topic_.clear();
  return result;
}

on_error on_error::then_cancel() const {
  on_error result = then_ignore();
  result.finally_ = outcome::cancel;
  return result;
}

on_error on_error::then_dead_letter(std::string topic) const {
  require_topic_name(topic);
  on_error result = *this;
  result.finally_ = outcome::dead_letter;
  result.dead_letter_topic_ = std::move(topic);
  return result;
}

std::chrono::nanoseconds on_error::delay(std::size_t attempt) const noexcept {
  if (first_delay_ >= longest_delay) return longest_delay;
  if (first_delay_ == first_delay_.zero() || attempt <= 1) return first_delay_;
  // The power may be infinite; the comparison takes that as too long.
  const double growth = std::pow(factor_, static_cast<double>(attempt - 1));
  const double result = static_cast<double>(first_delay_.count()) * growth;
  if (result >= static_cast<double>(longest_delay.count())) return longest_delay;
  return std::chrono::nanoseconds(std::llround(result));
}

}  // namespace actorbus
