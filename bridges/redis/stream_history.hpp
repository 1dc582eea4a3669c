// Reads a stream backwards, page by page, until it has what a subscriber lacks.
//
// What was published here and what came from others stand in the stream in another order than in the topic's log, so
// the two are told apart: of its own events the stream gives those before the sequence from which on the log has them,
// once all of those are out; of others' it gives those before the first one that the log has, or will have.
// Threads: `fetch` from any; the rest is the loop's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <bridges/redis/connection_pool.hpp>
#include <bridges/redis/past_entries.hpp>
#include <bridges/redis/reply.hpp>

namespace actorbus::redis {

class bridge_core;

class stream_history final : public std::enable_shared_from_this<stream_history> {
 public:
  /// Answers `then` once, with what could be read, also if the bridge goes meanwhile.
  static void fetch(const std::weak_ptr<bridge_core>& of, const wire_format& as, const history_request& what,
                    past_taker then);

  stream_history(const std::weak_ptr<bridge_core>& of, const wire_format& as, const history_request& what,
                 past_taker then);
  ~stream_history();

  /// Answers with what there is.
  void finish();

 private:
  /// Looks again and again whether everything is there that decides, for a bounded time.
  void prepare();
  void draw_line(bridge_core& core);
  /// Where entries do not tell whose they are: on the connection that ours go by, so that those up to the newest that
  /// the answer names are acknowledged by then.
  void ask_newest(bridge_core& core);
  void take_newest(const reply* what);
  void ask();
  void ask(connection& by);
  void ask_again();
  void take(const reply* what);
  void give_up(const std::string& why);
  /// Whether it is one of ours.
  void recognize(const stream_id& id);
  /// False: it and everything before it is not wanted.
  bool consider(const reply& entry);

  const std::weak_ptr<bridge_core> core_;
  const wire_format& as_;
  const history_request what_;
  past_taker then_;
  std::chrono::steady_clock::time_point deadline_;
  std::string key_;
  takeover line_;
  connection_pool::loan by_;
  std::size_t lost_ = 0;
  bool hears_others_ = false;  ///< what others add comes into the log, too
  std::size_t wanted_;
  std::size_t events_ = 0;
  stream_id newest_ = stream_id::max();
  stream_id oldest_ = stream_id::max();
  stream_id since_ = stream_id::min();
  std::vector<past_entry> entries_;       ///< newest first
  std::vector<std::uint64_t> ours_next_;  ///< sequences of entries that come next, the last one first
};

}  // namespace actorbus::redis
