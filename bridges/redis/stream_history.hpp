// Reads a stream backwards, page by page, until it has what a subscriber lacks.
//
// Threads: `fetch` from any; the rest is the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <bridges/redis/past_entries.hpp>
#include <bridges/redis/reply.hpp>

namespace actorbus::redis {

class bridge_core;

class stream_history final : public std::enable_shared_from_this<stream_history> {
 public:
  using answer = std::function<void(std::vector<past_entry>)>;

  /// Answers `then` once, with what could be read, also if the bridge goes meanwhile.
  static void fetch(const std::weak_ptr<bridge_core>& of, std::string key, const wire_format& as,
                    const history_request& what, answer then);

  stream_history(const std::weak_ptr<bridge_core>& of, std::string key, const wire_format& as, const history_request& what,
                 answer then);
  ~stream_history();

 private:
  void ask();
  void take(const reply* what);
  /// False: it and everything before it is not wanted.
  bool consider(const reply& entry);
  void finish();

  const std::weak_ptr<bridge_core> core_;
  const std::string key_;
  const wire_format& as_;
  const history_request what_;
  answer then_;
  std::uint64_t self_ = 0;
  std::size_t wanted_;
  std::size_t events_ = 0;
  stream_id oldest_ = stream_id::max();
  stream_id since_ = stream_id::min();
  bool passed_ = false;              ///< it has come to what is older than the topic's log
  std::vector<past_entry> entries_;  ///< newest first
};

}  // namespace actorbus::redis
