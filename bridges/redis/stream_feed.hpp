// One stream that is read into one topic: its cursor, what was read and not yet handed on, what is told.
//
// Threads: the loop's.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <bridges/redis/deferred_call.hpp>
#include <bridges/redis/inbound_topic.hpp>
#include <bridges/redis/last_events.hpp>
#include <bridges/redis/saved_cursor.hpp>
#include <bridges/redis/stream_cursor.hpp>

namespace actorbus::redis {

class stream_reader;

class stream_feed final : public reply_sink, public std::enable_shared_from_this<stream_feed> {
 public:
  /// Where a stream is read from when its route begins, and when it was made later: then all of it is live.
  enum class age : std::uint8_t { from_the_start, made_since };

  stream_feed(bridge_core& of, stream_reader& by, std::string key, std::string topic, const wire_format& as,
              const route_type& type, const stream_options& with, age how_old);

  /// Throws what bus::topic throws.
  void open() { topic_.open(); }

  const std::string& key() const { return key_; }
  /// The next read may include it.
  bool wants_more() const {
    return cursor_.has_begun() && !is_broken_ && !is_over_ && backlog_.size() < 2 && !topic_.is_full();
  }
  /// A read begins: behind what was read, handed on or not. `keep`, if it brings anything, and `look` follow.
  stream_id begin_read() {
    is_read_ = true;
    return cursor_.position();
  }
  bool has_begun() const { return cursor_.has_begun(); }
  bool is_broken() const { return is_broken_; }
  bool is_begun_or_broken() const { return cursor_.has_begun() || is_broken_; }
  std::uint64_t lag() const { return cursor_.lag(); }
  std::size_t waiting() const;
  /// The first event of the stream that is not in the topic's log yet: on its way there, here, or not read.
  stream_offset next();

  /// Finds out where to begin, by commands on `by`, or whether a stream that could not be read can. Again after each
  /// loss of the connection.
  void begin(connection& by);
  void on_lost();
  /// Entries of an XREAD, in memory that is theirs.
  void keep(std::span<reply> entries, std::shared_ptr<arena> memory);
  /// The answer to an XINFO STREAM that was sent with the XREAD: only now it is known where its entries belong.
  void look(const reply& info);
  /// Hands on what it can; comes back by itself.
  void hand_on();
  void stop();
  /// The cursor under its name, for whoever resumes: behind what was handled here.
  void save();
  /// As far as it goes now; for an end.
  void save_last();

  void take(const reply& what, connection& by) override;
  void lost(std::size_t count) override;

 private:
  enum class step : std::uint8_t { saved, facts, oldest };
  /// Entries in the memory that they lie in.
  struct lot {
    std::shared_ptr<arena> memory = {};
    std::span<reply> entries = {};
  };
  struct place {
    stream_id id = {};
    std::optional<std::uint64_t> read = {};  ///< entries ever added up to there, if known
  };
  struct batch {
    std::optional<log_notice> notice = {};  ///< told before its entries
    place behind = {};                      ///< where that leads
    lot what = {};
    std::size_t next = 0;
  };

  void ask(connection& by, step what);
  void look_back(const reply& page, connection& by);
  void begin_at(stream_id position);
  void look_at(const stream_facts& now);
  bool hand_on_backlog();
  bool hand_on(batch& from);
  bool hand_on(const reply& entry, stream_id id);
  fault read_events(const reply& entry);
  bool tell_before(log_notice what);
  void come_back() {
    later_.plan(weak_from_this());
    if (!with_.resume_as.empty()) save_later_.plan(weak_from_this());  // a topic may be full for long
  }
  /// The next event to be handed on.
  stream_offset at() const;
  std::string written();
  void resume(const reply& saved);
  std::string cursor_key() const;

  bridge_core& core_;
  stream_reader& reader_;
  const std::string key_;
  const wire_format& as_;
  const stream_options with_;
  const age age_;
  inbound_topic topic_;
  stream_cursor cursor_;
  stream_facts facts_;
  std::deque<step> asked_;
  std::optional<last_events> tail_;  ///< while it is looked for where the last(n) begin
  std::optional<saved_cursor> resumed_;
  bool is_unresumed_ = false;                   ///< the server did not say where to go on: nothing begins elsewhere
  std::optional<stream_offset> begins_within_;  ///< the events of this entry before that place are not wanted
  bool is_read_ = false;                        ///< a read that includes it is under way
  lot fresh_;                                   ///< what that brought
  std::deque<batch> backlog_;
  place handed_on_;  ///< the last entry that was
  std::vector<field_view> fields_;
  std::vector<incoming> events_;  ///< of the entry that was read last, those that are the topic's
  std::size_t place_ = 0;         ///< events of the entry that are handed on already
  /// A place that the topic's log has reached, and whether what was before it has been handled.
  struct mark {
    std::string text = {};
    std::function<bool()> is_handled = {};
  };
  mark mark_;
  std::string saved_;
  bool saving_ = false;
  bool is_over_ = false;    ///< the topic takes nothing any more
  bool is_broken_ = false;  ///< no stream, or not ours to read: tried again later
  bool stopped_ = false;
  deferred_call later_;
  deferred_call save_later_;
};

/// An entry's fields as one text, by which its echo is known.
std::string print_of(std::span<const field_view> fields);

}  // namespace actorbus::redis
