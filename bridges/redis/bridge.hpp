// A bridge: mirrors chosen topics of a bus onto Redis, so that the same subscribe also reaches other processes.
//
// Threads: every call from any thread; creating and destroying is its owner's. One thread of its own does all I/O;
// codecs are called there. Ownership: it may outlive its bus, or go before it. Its destructor gives what waits to go
// out bridge_options::close_within, in a handler no time.
// When full: a publisher never waits for Redis unless its route says overflow::block; see pubsub and stream.
// When closed: routing is errc::closed. A closing bus flushes its bridges.
// No echo: only what is published in this process goes out, so nothing that came in by any bridge is sent on, and what
// this bridge sent is not brought back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <typeindex>
#include <utility>
#include <vector>

#include <bridges/redis/consumer.hpp>
#include <bridges/redis/direction.hpp>
#include <bridges/redis/format.hpp>
#include <bridges/redis/group_handler.hpp>
#include <bridges/redis/options.hpp>
#include <bridges/redis/route_type.hpp>
#include <bridges/redis/state.hpp>
#include <bridges/redis/stats.hpp>
#include <bridges/redis/stream_id.hpp>
#include <bus/bus.hpp>
#include <bus/codec.hpp>

namespace actorbus::redis {

class bridge_core;

class bridge {
 public:
  /// Connects in the background, for ever. Throws errc::invalid_argument for a URI or an option that is none,
  /// errc::unsupported for rediss:// without TLS in this build, errc::closed.
  explicit bridge(actorbus::bus& on, bridge_options options = {});
  bridge(bridge&&) noexcept;
  bridge& operator=(bridge&&) noexcept;
  ~bridge();

  /// Carries a topic, or every topic of T that a pattern covers, by PUBLISH and SUBSCRIBE: at most once, no history.
  /// Going out, `overflow` and `capacity` are those of the topic's log, which is the outbox while Redis is away.
  /// Coming in, the socket is always drained; what a full topic cannot take waits here, up to `capacity`, then the
  /// oldest goes, counted and told by a `gap` (`latest`: all but the newest, counted). Nobody can be made to wait
  /// there, so `block` and `disconnect` act as drop_oldest.
  ///
  /// After a lost connection of this bridge's subscribers are told a `gap`. In `native` and `packed` they are told of
  /// their publishers' losses, too: a gap stands wherever an event of a publisher is missing between two that came,
  /// because its connection was lost, the server refused a message (busy with a script, or by an ACL), the event could
  /// not be encoded, or was dropped while Redis was away (not by `latest`). So every loss lies inside a gap. What
  /// nothing follows is told in a second or so, once the publisher's bridge is connected and may publish there, or
  /// when it is closed; what is lost before the first event that came of a publisher is told behind it. What was told
  /// because of the event behind it, its publisher may tell once more. The place is known for the 256 publishers of a
  /// topic heard last, and not for publish_all, which goes another way. Where a route both ways drops what waits, it
  /// cannot know whether only others' events were among that, and tells; before its first event has gone only if more
  /// was published on the topic by then than this route has brought in.
  ///
  /// In formats without an origin this process knows its own messages by their payload when they come back. So a route
  /// both ways sends nothing while the server owes the answer to its subscription, before the first one in particular;
  /// and where messages are lost with the connection they went by, its own subscribers are told a `gap`, too: one of
  /// somebody else's may have been taken for them.
  ///
  /// What a stream route takes out, pub/sub does not send, and what it brings in, pub/sub does not take; what waits to
  /// go out by pub/sub when such a route is made goes by neither.
  /// Throws errc::invalid_pattern, type_mismatch, errc::invalid_argument for an overlap with another pub/sub route or
  /// a format without messages, closed.
  template <class T>
  void pubsub(std::string_view pattern, const pubsub_options& options = {}) {
    add_pubsub(pattern, route_type_of<T>(), options);
  }

  /// Carries a topic, or every topic of T that a pattern covers, by a Redis stream each: at least once, with history.
  /// Going out, `overflow` and `capacity` are those of the topic's log, which is the outbox while Redis is away; what
  /// was sent is kept until the server has acknowledged it, and sent again if the reply never came. Coming in, only as
  /// much is read as the topic can take; what was trimmed, deleted or made anew is told by notices where it was, the
  /// end of a replay by `caught_up`. A subscriber that asks for more than the topic keeps gets the older part from the
  /// stream, joined without gap or double: it begins once what was published before it is out, after
  /// bridge_options::command_timeout at the latest. A pattern's streams are found twice a second; one made since is
  /// read from its beginning.
  ///
  /// What overflows before it could go out is counted in stats().dropped_out and told in this bus's log; with
  /// `disconnect`, told once, as nothing of the topic goes out any more. A reader of the stream is not told by a
  /// notice: where an origin is carried, its events' origin_sequence leaps, as it does for what did not go by this
  /// route.
  ///
  /// Where a format carries no origin (see FORMAT.md), this process' own entries are told by content and order. Without
  /// `deduplicate`, one that was sent again after a lost reply may come back once, behind a `gap`. In the joined
  /// history those whose replies were lost, and those before the newest 65,536 of a topic, are taken for others': they
  /// may come twice, or be missing where others' are in the log already. Take `native` or `packed` where that matters.
  ///
  /// `maxlen` counts events. In `packed` the server is asked to keep as many of the newest entries as hold them, by
  /// what this bridge has added; each entry it does not know counts as one event, so that until it has added `maxlen`
  /// events more may be kept, never fewer. What others add to the stream meanwhile is taken to be as full as its own:
  /// of several that write it, one whose entries hold many trims those of others that hold few. There use `max_age`.
  /// Throws as pubsub does, and errc::invalid_argument for replay::after (use
  /// stream_options::after), for `maxlen` together with `max_age`, for a pattern by which Litestar's streams are to
  /// come in (their keys do not tell the topic), and where another route takes in the same stream for another topic.
  template <class T>
  void stream(std::string_view pattern, const stream_options& options = {}) {
    add_stream(pattern, route_type_of<T>(), options);
  }

  /// Takes a share of a topic's stream, as a consumer of a group: each event goes to one of its consumers, whatever
  /// process they are in; at least once. The handler is called with a `const event<T>&` or a `const T&`, by threads of
  /// its own unless options.run_on says otherwise, options.concurrency of them at once; without order then. What it
  /// publishes is as from any handler. This process' own events come too, and no topic of this bus is concerned.
  ///
  /// Acknowledged is an entry after the handler returned (a packed one after it did for each of its events, one after
  /// the other). If it throws, the entry is delivered again after a while, until the server has counted
  /// options.max_deliveries, whoever made them; then it goes to the dead letters: the stream of the topic
  /// options.dead_letter, where a stream route finds it as an event whose headers say whose it was and what was wrong.
  /// What cannot be decoded goes there at once. An event that may have come before has the header `redis.deliveries`,
  /// its sequence is 0, and `redis.id` is its entry's id (with `:place` behind it for a further one of a packed entry).
  ///
  /// Entries that were trimmed before anybody of the group had read them, and a stream that was deleted or made anew,
  /// are told to a handler that takes notices, `trimmed` and `epoch_reset`, of each of the group's consumers. Trimming
  /// is told within a second, or, if the group was in the middle of its stream, once it is through: perhaps behind what
  /// comes after it. The range covers all that was lost and may cover more; where the server has no count of the group,
  /// as of one that began by `since` or was destroyed, until it is through, it is told where something may have been
  /// lost. An `epoch_reset` stands for everything of the old stream that did not come. Servers from 7.4.3 on tell of
  /// trimming only if the group has not read on. What was trimmed or deleted while it was pending is told to the
  /// consumer that would have taken it up, alone; what a consumer has in hand then is handled, and a dead letter if
  /// that fails for good; twice, if the answer to that was lost.
  ///
  /// What a consumer holds it keeps, however long its handler takes; what a dead one held others claim after
  /// options.claim_after, and so does the next consumer of its name, at once. Who has lost its connection, or waited
  /// for a server that stood still, claims nothing of others for that long: they may have, too, and live. A group that
  /// is missing is made, also after it was deleted, at its last known place. Where the server cannot count what is
  /// before a group, stats().lag is at most so many. Throws errc::invalid_topic, errc::invalid_argument for an option
  /// out of range, closed, and std::system_error if there is no thread for it.
  template <class T, core::handler_of<T> F>
  [[nodiscard]] consumer consume(std::string_view topic, F handler, const consume_options& options = {}) {
    require_codec<T>();
    return add_consumer(topic, shape_of<T>, options, [&] {
      return std::unique_ptr<group_handler>(std::make_unique<group_handler_of<T, F>>(topic, std::move(handler)));
    });
  }

  /// Puts the dead letters of a topic back on the streams they came from, oldest first, those that are there when it
  /// begins; each in one step of the server, so that none is lost or doubled whatever happens. They are new entries
  /// there: every reader of the stream gets them, and their deliveries are counted from 0. Returns how many. `as`: the
  /// format they were consumed in. Blocks; throws as history does, and what was put back by then stays so.
  std::size_t redrive(std::string_view dead_letter_topic, redis::format as = format::native);

  /// The last `limit` events of a topic's stream, oldest first; those that are no T are left out. Blocks; throws
  /// not_connected, timeout after bridge_options::command_timeout, refused_by_server, closed, and in_handler.
  template <class T>
  std::vector<event<T>> history(std::string_view topic, std::size_t limit) {
    const wire_format& as = format_of(topic, shape_of<T>);
    const auto decode = [&as](const incoming& each) { return decode_payload<T>(each, as.entry_shape()); };
    auto past = past_events<T>(read_back(topic, as, limit), as, limit, decode, takeover{.topic = std::string(topic)});
    return as_events(open_topic_of<T>(bus(), topic), std::move(past));
  }

  /// Publishes on the topic, through its stream route, and tells the entry's id once the server has acknowledged it:
  /// for options.replicas, once so many replicas have it too. The event's origin is this bridge, not 0, and its
  /// origin_sequence says nothing. The future fails with timeout, refused_by_server, or closed; an event whose
  /// acknowledgement was lost may be in the stream all the same. With `deduplicate` it fails with not_connected if the
  /// event is in the stream, the reply with its id was lost with a connection, and the server did not keep the id for
  /// us, because this user may not HSET or HGET. Without, what was sent again has the id of the later entry. Throws
  /// errc::invalid_argument if no stream route takes the topic out, would_block if the topic is full, and what a
  /// publish throws.
  template <class T>
  std::future<stream_id> publish_confirmed(std::string_view topic, T value, const confirm_options& options = {},
                                           headers with = {}) {
    auto [token, result] = confirm(topic, options);
    const auto why = open_topic_of<T>(bus(), topic)
                         .publisher()
                         .try_publish_from(std::move(value), event_origin{origin(), token}, std::move(with));
    if (why) refuse(token, topic, why);
    return std::move(result);
  }

  /// Publishes one value on several topics, here and for every process, in one atomic step of the server: other
  /// processes' events come before or behind all of them. At most once, by the pub/sub routes that cover the topics.
  /// Blocks for the server's answer. In formats without an origin it may come back if wait_ready was not awaited.
  /// Throws, and nothing was published anywhere: errc::invalid_topic, invalid_argument
  /// if no such route takes one out, type_mismatch if it or its route is of another type, finished, not_connected,
  /// closed, in_handler, and what the codec throws. Throws, and nothing was published here: timeout, where the server
  /// may have published it all the same, and refused_by_server, where it has not, except on those in front of a channel
  /// that its ACL denies.
  /// An interceptor here concerns what is published here: what it refuses, or a topic that is finished meanwhile,
  /// others have all the same, and so have the further topics here; the first such error is thrown.
  template <class T>
  void publish_all(const std::vector<std::string>& topics, const T& value, const headers& with = {}) {
    require_codec<T>();
    std::string payload;
    codec<T>::encode(value, payload);
    std::vector<publisher<T>> here;
    send_to_all(topics, typeid(T), payload, codec<T>::content_type, with, [&] {
      for (const auto& each : topics) here.push_back(open_publisher_of<T>(bus(), each, origin()));
    });
    std::exception_ptr failed;
    for (auto& each : here) {
      try {
        each.publish(value, with);
      } catch (...) {
        if (!failed) failed = std::current_exception();
      }
    }
    if (failed) std::rethrow_exception(failed);
  }

  /// Deletes everything under the prefix, by SCAN and UNLINK. Blocks. Returns how many keys. Throws
  /// errc::invalid_argument for an empty prefix, and as history does.
  std::size_t flush_all();

  /// Ends the routes of exactly this pattern; what waits there is not sent. False: there is none.
  bool unroute(std::string_view pattern);

  /// Calls `callback` with the present state, if there is one yet, and with each change: on the pool, as a handler.
  void on_state(std::function<void(const state&)> callback);
  /// Waits until every connection is up, or rests (bridge_options::idle_timeout), and every subscription was answered:
  /// confirmed, or refused for good, see phase::ready. False: not within that time.
  /// Throws in_handler inside a handler.
  bool wait_ready(std::chrono::nanoseconds within);

  redis::stats stats() const;

  /// Waits until everything published before this call was sent and acknowledged. False: not within that time.
  /// Throws in_handler inside a handler.
  bool flush(std::chrono::nanoseconds within);

  /// Flushes, then ends every route and connection; returns by the deadline. Idempotent.
  void close(std::chrono::nanoseconds within);

  /// What this bridge's events carry as their origin: no other process's.
  std::uint64_t origin() const;

 private:
  void add_pubsub(std::string_view pattern, const route_type& type, const pubsub_options& options);
  void add_stream(std::string_view pattern, const route_type& type, const stream_options& options);
  consumer add_consumer(std::string_view topic, payload_shape shape, const consume_options& options,
                        const std::function<std::unique_ptr<group_handler>()>& handler);
  const wire_format& format_of(std::string_view topic, payload_shape shape) const;
  std::vector<past_entry> read_back(std::string_view topic, const wire_format& as, std::size_t limit);
  std::pair<std::uint64_t, std::future<stream_id>> confirm(std::string_view topic, const confirm_options& options);
  [[noreturn]] void refuse(std::uint64_t token, std::string_view topic, std::error_code why);
  /// `before`: called when all that is known to be wrong was thrown, and nothing was sent.
  void send_to_all(const std::vector<std::string>& topics, std::type_index type, std::string_view payload,
                   std::string_view content_type, const headers& with, const std::function<void()>& before);
  const std::shared_ptr<core::bus_core>& bus() const;

  std::shared_ptr<bridge_core> core_;
  closing_hook closing_;
};

}  // namespace actorbus::redis
