// From a topic's name to everything registered under a pattern that covers it, at a cost that grows with the tokens of
// the name and the patterns that match, not with those that do not.
//
// A tree of tokens: each node knows the node behind each next token, the one behind `*`, what is registered right here,
// and what is registered here with a last `>`.
//
// Threads: one at a time; not safe by itself. for_each_match may run concurrently with itself.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <bus/names.hpp>

namespace actorbus::core {

/// `Value` is movable and has `==`.
template <class Value>
class pattern_index {
 public:
  /// Registers `value` under `pattern`, which is valid. The same pair may be registered more than once.
  void add(std::string_view pattern, Value value) {
    assert(is_pattern(pattern));
    node* at = &root_;
    std::string_view rest = pattern;
    while (!rest.empty()) {
      const std::string_view token = take_token(rest);
      if (token == ">") {
        at->tails.push_back(std::move(value));
        ++size_;
        return;
      }
      at = &at->child(token);
    }
    at->values.push_back(std::move(value));
    ++size_;
  }

  /// Takes back one registration of `value` under `pattern`; false if there is none.
  bool remove(std::string_view pattern, const Value& value) {
    if (!root_.remove(pattern, value)) return false;
    --size_;
    return true;
  }

  /// Calls `fn(const Value&)` once for each registration whose pattern covers `topic`, in no particular order. `fn`
  /// leaves this index unchanged. Returns its cost: the nodes it visited.
  template <class Function>
  std::size_t for_each_match(std::string_view topic, Function&& fn) const {
    return root_.visit(topic, fn);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// How many nodes the tree has, its root included.
  std::size_t nodes() const noexcept { return root_.count(); }

 private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const noexcept { return std::hash<std::string_view>()(token); }
  };

  struct node {
    std::unordered_map<std::string, std::unique_ptr<node>, hash, std::equal_to<>> children;
    std::unique_ptr<node> star;
    std::vector<Value> values;
    std::vector<Value> tails;

    bool unused() const noexcept { return children.empty() && !star && values.empty() && tails.empty(); }

    std::unique_ptr<node>* find(std::string_view token) {
      if (token == "*") return star ? &star : nullptr;
      const auto found = children.find(token);
      return found == children.end() ? nullptr : &found->second;
    }

    node& child(std::string_view token) {
      if (auto* existing = find(token)) return **existing;
      auto made = std::make_unique<node>();
      node& result = *made;
      if (token == "*") {
        star = std::move(made);
      } else {
        children.emplace(token, std::move(made));
      }
      return result;
    }

    bool remove(std::string_view rest, const Value& value) {
      if (rest.empty()) return remove_one(values, value);
      const std::string_view token = take_token(rest);
      if (token == ">") return remove_one(tails, value);
      const auto* next = find(token);
      if (!next || !(*next)->remove(rest, value)) return false;
      if ((*next)->unused()) prune(token);
      return true;
    }

    void prune(std::string_view token) {
      if (token == "*") {
        star.reset();
      } else {
        children.erase(children.find(token));
      }
    }

    template <class Function>
    std::size_t visit(std::string_view rest, Function& fn) const {
      if (rest.empty()) {
        for (const Value& value : values) fn(value);
        return 1;
      }
      for (const Value& value : tails) fn(value);
      const std::string_view token = take_token(rest);
      std::size_t visited = 1;
      if (star) visited += star->visit(rest, fn);
      if (const auto next = children.find(token); next != children.end()) visited += next->second->visit(rest, fn);
      return visited;
    }

    std::size_t count() const noexcept {
      std::size_t result = 1 + (star ? star->count() : 0);
      for (const auto& [token, next] : children) result += next->count();
      return result;
    }
  };

  static bool remove_one(std::vector<Value>& from, const Value& value) {
    const auto found = std::find(from.begin(), from.end(), value);
    if (found == from.end()) return false;
    from.erase(found);
    return true;
  }

  node root_;
  std::size_t size_ = 0;
};

}  // namespace actorbus::core
