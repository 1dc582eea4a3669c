// What goes out by XADD: pipelined, many in flight, kept until the server has acknowledged it.
//
// A reply that never came is unknown, not failed: its command is sent again on the next connection. With
// de-duplication commands are calls of a script (append_script.hpp), which adds nothing twice and nothing out of order.
// While Redis is away events wait in their topic's log. Threads: the loop's.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <bridges/redis/confirmations.hpp>
#include <bridges/redis/echo_filter.hpp>
#include <bridges/redis/newest_entries.hpp>
#include <bridges/redis/outbound_route.hpp>
#include <bridges/redis/retry_schedule.hpp>

namespace actorbus::redis {

class stream_out final : public outbound_route {
 public:
  /// `is_heard`: what is added is read by this bridge, too.
  stream_out(bridge_core& of, std::string_view pattern, const wire_format& as, std::unique_ptr<out_port> from,
             const stream_options& with, bool is_heard);

  void start() override;
  void stop() override;
  void on_commands() override;
  bool is_flushed() override;
  bool is_settled(std::string_view topic, std::uint64_t until) override;
  const own_entries* own_of(std::string_view topic) override;
  void add_to(stats& sum) const override;

  void take(const reply& what, connection& by) override;
  void lost(std::size_t count) override;

 private:
  /// One stream's producer: what it has sent, for the script and for its expiry.
  struct target {
    std::string key;
    std::string producer_key;
    std::string ids_key;              ///< see append_script.hpp
    std::uint64_t last_sequence = 0;  ///< given to the script
    std::uint64_t touched = 0;        ///< the pump that added to it last
    bool owes_expiry = false;         ///< what was added to it may not expire: the server was not told so
    newest_entries newest = {};       ///< where entries hold many events and are trimmed by their number
    own_entries own = {};             ///< where they do not tell their origin
  };
  struct unacknowledged {
    std::string bytes;  ///< the command; with the script, its words behind the numbers
    target* to;
    std::size_t words;  ///< with the script
    std::size_t events;
    std::uint64_t before;                        ///< sequence, with the script
    std::uint64_t first, last;                   ///< sequences
    std::uint64_t token;                         ///< of publish_confirmed, or 0
    std::vector<echo_filter::mark> echoes = {};  ///< of each entry, where they carry no origin and come back
    std::vector<std::uint64_t> sequences = {};   ///< of each, where entries do not tell their origin
  };

  void pump() override;
  void pump_later(std::chrono::nanoseconds after);
  void event(const metadata& about, const outgoing& what) override;
  void unencodable(const metadata& about, const char* why) override;
  void require_fit(const outgoing& what) const;
  target& target_of(std::string_view topic);
  void add_batch(std::uint64_t token = 0);
  void add_plain(target& to, std::span<const outgoing> events, std::uint64_t token);
  void add_scripted(target& to, std::span<const outgoing> events, std::uint64_t token);
  std::string take_spare();
  /// The words that trim where so many events are added, at most `at_once` an entry.
  std::vector<std::string> trimming_of(target& to, std::size_t events, std::size_t at_once);
  void send(const unacknowledged& what, bool adopts);
  void send_expiries();
  void forget_ids();
  void load_script();
  void resend();
  bool is_scripted() const { return with_.deduplicate; }
  void acknowledged(const reply& what);
  void failed(const reply& what);
  void adopt(const reply& why);
  void give_up(const reply& what);
  void confirm(const unacknowledged& what, const reply& id);

  const stream_options with_;
  const bool is_heard_;
  retry_schedule retries_;
  boost::asio::steady_timer later_;
  by_topic<target> targets_;
  std::vector<field_view> fields_;
  std::deque<unacknowledged> waiting_;                        ///< sent ones first
  std::vector<std::string> spare_;                            ///< strings whose memory is used again
  std::vector<std::pair<target*, std::uint64_t>> confirmed_;  ///< sequences whose ids the server keeps needlessly
  std::size_t events_ = 0;                                    ///< in waiting_
  std::size_t sent_ = 0;                                      ///< of waiting_, on this connection
  std::size_t answered_ = 0;                                  ///< of those, failed and kept
  std::size_t fresh_ = 0;                                     ///< commands appended by this pump
  std::uint64_t pumps_ = 0;
  bool rewinding_ = false;      ///< one failed: the rest of the answers is awaited, then all that is left is sent again
  bool adopts_ = false;         ///< the server has lost what it had acknowledged: the next calls go on without it
  bool resting_ = false;        ///< a retry waits for its time
  bool ready_ = false;          ///< the server has the script, where one is needed
  bool has_taken_all_ = false;  ///< the last pump found the inbox empty
  std::string sha_;             ///< the script's, as the server says
  std::chrono::nanoseconds rest_{0};  ///< before all that is left is sent again
};

}  // namespace actorbus::redis
