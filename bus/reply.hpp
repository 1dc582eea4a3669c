// What a request comes back with: a value, or why there is none.
#pragma once

#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <bus/errors.hpp>

namespace actorbus {

template <class T>
class reply {
 public:
  explicit reply(T value) : value_(std::move(value)) {}
  /// no_responders, timeout, handler_failed (with the exception's text), closed, would_block.
  reply(std::error_code error, std::string what) : error_(error), what_(std::move(what)) {}

  explicit operator bool() const { return value_.has_value(); }

  /// The value; throws bus_error if there is none.
  T& value() & {
    require();
    return *value_;
  }
  const T& value() const& {
    require();
    return *value_;
  }
  T&& value() && {
    require();
    return std::move(*value_);
  }
  const T& operator*() const { return value(); }

  std::error_code error() const { return error_; }
  const std::string& what() const { return what_; }

 private:
  void require() const {
    if (!value_) throw bus_error(error_, what_);
  }

  std::optional<T> value_;
  std::error_code error_;
  std::string what_;
};

}  // namespace actorbus
