// Entries as append_script.hpp reads them: the names of their fields once for each run of entries that share them, for
// every word costs the script time.
//
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <bridges/redis/command.hpp>
#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

class entry_runs {
 public:
  /// They go to the end of `to`.
  explicit entry_runs(std::string& to) : to_(to) {}

  void add(std::span<const field_view> fields) {
    if (!is_like(fields)) {
      end_run();
      names_.clear();
      for (const auto& each : fields) names_.emplace_back(each.name);
    }
    ++entries_;
    command_writer out(values_);
    for (const auto& each : fields) out.word(each.value);
  }

  /// That was the last. How many words all of them were.
  std::size_t end() {
    end_run();
    return words_;
  }

 private:
  bool is_like(std::span<const field_view> fields) const {
    return std::equal(fields.begin(), fields.end(), names_.begin(), names_.end(),
                      [](const field_view& field, const std::string& name) { return field.name == name; });
  }
  void end_run() {
    if (entries_ == 0) return;
    command_writer out(to_);
    out.number(static_cast<std::int64_t>(names_.size())).number(static_cast<std::int64_t>(entries_));
    for (const auto& each : names_) out.word(each);
    to_ += values_;
    words_ += 2 + names_.size() * (1 + entries_);
    entries_ = 0;
    values_.clear();
  }

  std::string& to_;
  std::vector<std::string> names_;
  std::string values_;
  std::size_t entries_ = 0;
  std::size_t words_ = 0;
};

}  // namespace actorbus::redis
