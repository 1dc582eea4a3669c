// Payloads that are counted while they live, to find what is lost, kept too long or destroyed twice.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace actorbus::testing {

/// Counts the payloads that hold a value. One that was moved from holds none. Threads: any. Outlives its payloads.
class census {
 public:
  int living() const { return living_.load(); }
  /// Payloads ever made, copies included and moves not.
  int made() const { return made_.load(); }

 private:
  template <bool, std::size_t>
  friend class basic_counted;
  std::atomic<int> living_{0};
  std::atomic<int> made_{0};
};

/// `NoexceptMove` false: the bus has to box it. `Padding`: bytes to make it large.
template <bool NoexceptMove, std::size_t Padding>
class basic_counted {
 public:
  basic_counted(census& in, int value) : census_(&in), value_(value) { count(); }
  basic_counted(const basic_counted& other) : census_(other.census_), value_(other.value_) { count(); }
  basic_counted(basic_counted&& other) noexcept(NoexceptMove)
      : census_(std::exchange(other.census_, nullptr)), value_(std::exchange(other.value_, -1)) {}
  basic_counted& operator=(basic_counted other) {
    std::swap(census_, other.census_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~basic_counted() {
    if (census_ != nullptr) --census_->living_;
  }

  int value() const { return value_; }

 private:
  void count() {
    if (census_ == nullptr) return;
    ++census_->living_;
    ++census_->made_;
  }

  census* census_;
  int value_;
  [[maybe_unused]] char padding_[Padding + 1] = {};
};

using counted = basic_counted<true, 0>;

}  // namespace actorbus::testing
