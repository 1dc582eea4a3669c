// Whoever together was promised each event once: a subscriber, or the members of a group.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/contract/history.hpp"
#include "tests/contract/history_checker.hpp"

namespace actorbus::contract {

class reader {
 public:
  /// Sequences that an event or a notice accounts for, both ends included.
  struct span {
    std::uint64_t first, last;
    bool told;
  };

  reader(const subscriber_record& first, const expectations& by_default);

  bool takes(const subscriber_record& member) const;
  void add(const subscriber_record& member);

  /// Follows the last member; all below wait for it.
  void complete();

  const std::string& topic() const noexcept { return topic_; }
  const expectations& promised() const noexcept { return promised_; }
  const std::vector<const subscriber_record*>& records() const noexcept { return records_; }

  /// By first sequence; an event before a notice that begins with it. Empty unless sequences are judged.
  const std::vector<span>& spans() const noexcept { return spans_; }

  /// Which of the `count` accepted events of `publisher` came, by their place; all zero at first.
  std::vector<char>& seen(std::uint32_t publisher, std::size_t count);

  /// The sequence behind which it begins, and the last one it accounts for.
  std::uint64_t start() const;
  std::uint64_t end() const;

  /// Whether a notice covers a sequence between `above` and `below`, both excluded.
  bool told_between(std::uint64_t above, std::uint64_t below) const;

  /// The number of sequences told as lost.
  std::uint64_t told() const;

  void report(finding_kind kind, const std::string& what);
  bool reported(finding_kind kind) const { return counts_.count(kind) > 0; }
  const std::vector<finding>& findings() const noexcept { return findings_; }

 private:
  std::string name_, topic_, group_;
  expectations promised_;
  std::vector<const subscriber_record*> records_;
  std::map<std::uint32_t, std::vector<char>> seen_;
  std::vector<span> spans_, notices_;
  std::map<finding_kind, int> counts_;
  std::vector<finding> findings_;
};

/// All subscribers and groups of a history, complete.
std::vector<reader> readers_of(const history& what, const expectations& by_default);

}  // namespace actorbus::contract
