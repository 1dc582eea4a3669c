// Which events of a group belong together: a function of the metadata or of the value, reduced to a hash.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <typeindex>
#include <utility>

#include <bus/handler_traits.hpp>
#include <bus/metadata.hpp>

namespace actorbus {

/// Holds a callable `Key(const metadata&)` or `Key(const T&)`, where std::hash<Key> exists. Events with equal keys go
/// to one member of their group, in order. Two keys with equal hashes are treated as one, which keeps every promise.
class key_function {
 public:
  key_function() = default;

  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, key_function>)
      key_function(F function) {  // NOLINT(google-explicit-constructor): `.key = [](const order& o) { return o.id; }`
    if constexpr (std::is_invocable_v<F&, const metadata&>) {
      of_metadata_ = [f = std::move(function)](const metadata& m) mutable { return hash(f(m)); };
    } else {
      using value_type = core::first_argument_t<F>;
      static_assert(!std::is_void_v<value_type>, "a key takes const metadata& or const T&, named in its parameter");
      of_value_ = [f = std::move(function)](const void* value) mutable {
        return hash(f(*static_cast<const value_type*>(value)));
      };
      value_type_ = typeid(value_type);
    }
  }

  explicit operator bool() const { return of_metadata_ || of_value_; }

  /// The payload type it reads, if it reads the payload.
  const std::optional<std::type_index>& value_type() const { return value_type_; }

  std::size_t operator()(const metadata& m, const void* value) const {
    return of_metadata_ ? of_metadata_(m) : of_value_(value);
  }

 private:
  template <class Key>
  static std::size_t hash(const Key& key) {
    return std::hash<Key>{}(key);
  }

  std::function<std::size_t(const metadata&)> of_metadata_;
  std::function<std::size_t(const void*)> of_value_;
  std::optional<std::type_index> value_type_;
};

}  // namespace actorbus
