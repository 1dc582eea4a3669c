// Which topics there are, by name, and which subscriptions on patterns cover the ones to come.
//
// Threads: any. A topic that is made is attached to every pattern subscription that covers it before the making call
// returns.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include <bus/options.hpp>
#include <bus/pattern_index.hpp>

namespace actorbus::core {

struct payload_type;
class reader;
class topic_core;

class registry {
 public:
  /// Makes a topic of the asked-for type, with this first sequence.
  using factory = std::function<std::shared_ptr<topic_core>(std::uint64_t first_sequence)>;

  /// Finds a topic or makes it, and takes a handle on it. Throws invalid_topic, type_mismatch naming both types,
  /// options_mismatch, closed.
  std::shared_ptr<topic_core> open(std::string_view name, const payload_type& type, const topic_options* options,
                                   const factory& make);
  std::shared_ptr<topic_core> find(std::string_view name) const;

  /// Attaches a reader to every topic that its pattern covers, now and to come. `type` empty: topics of every type.
  /// Throws closed.
  void cover(std::shared_ptr<reader> who, std::optional<std::type_index> type);
  void uncover(const reader& who);

  /// Forgets a topic that nothing keeps. False: something does by now.
  bool retire(topic_core& which);
  /// No further topic is made.
  void close();
  /// Forgets everything, without a word to anybody.
  void clear();

  std::vector<std::shared_ptr<topic_core>> all() const;
  std::size_t size() const;
  /// Topics that a pattern covered by name and not by type.
  std::uint64_t skipped(const reader& who) const;

 private:
  struct cover_entry {
    std::shared_ptr<reader> who;
    std::optional<std::type_index> type;
    std::uint64_t skipped = 0;
  };

  std::uint64_t& floor_of(std::string_view name);

  mutable std::mutex mutex_;
  bool closed_ = false;
  std::unordered_map<std::string_view, std::shared_ptr<topic_core>> topics_;  // keys live in the topics
  pattern_index<std::shared_ptr<cover_entry>> patterns_;
  std::unordered_map<const reader*, std::shared_ptr<cover_entry>> covers_;
  /// Sequences never run backwards under a name: a topic made anew starts behind the highest sequence of any retired
  /// topic whose name has the same hash bucket. Bounded, whatever names come and go.
  std::array<std::uint64_t, 1024> floors_{};
};

}  // namespace actorbus::core
