// The connection on which a consumer reads its share: makes the group if it is missing, takes up again what was
// delivered and not acknowledged, then XREADGROUP BLOCK; while entries abound, one read ahead.
//
// Threads: the loop's.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/read_size.hpp>
#include <bridges/redis/stream_cursor.hpp>

namespace actorbus::redis {

class group_consumer;
struct group_names;

void append_acknowledgement(std::string& to, const group_names& by, const std::vector<stream_id>& which);

class group_reader final : public connection_owner, public reply_sink {
 public:
  group_reader(bridge_core& of, group_consumer& to);
  ~group_reader() override;

  void start();
  /// Reads, if it does not, and more is wanted.
  void pump();
  /// Reads no more; what the server has delivered by then still comes.
  void end_reading();
  bool is_reading() const { return asked_.size() > acknowledging_.size(); }
  /// Entries asked for, of any kind, that have not come.
  std::size_t requested() const;
  /// Acknowledgements may go this way: ahead of the reads to come, and not behind one that waits for entries.
  bool can_acknowledge() const { return is_open_ && !stopped_ && !waits_; }
  void acknowledge(std::vector<stream_id> which);
  /// Sends what was appended now.
  void flush();
  /// The group is there, or was.
  bool has_group() const { return has_group_; }
  /// What was delivered to this name before is in hand again.
  bool has_own() const { return has_own_; }
  void stop();

  void on_connecting(connection& which) override;
  void on_open(connection& which) override;
  void on_lost(connection& which, const std::string& reason) override;
  void on_push(connection& which, const reply& what) override;

  void take(const reply& what, connection& by) override;
  void lost(std::size_t count) override;

 private:
  enum class question : std::uint8_t { facts, create, own, claim, read, acknowledge };

  void ask(question what, std::chrono::nanoseconds longer = {});
  void create(const std::string& from);
  void found_facts(const reply& what);
  void recreate(const stream_facts& now);
  void created(const reply& what);
  void ask_own(std::size_t room);
  void found_own(const reply& what);
  void claimed_own(const reply& what, connection& by);
  void read(std::size_t room);
  void read_ahead();
  void acknowledged(const reply& what);
  void took(const reply& what, connection& by);
  void entries(const reply& what, std::size_t requested, connection& by);
  bool is_group_missing(const reply& what);
  void later(const std::string& why);
  void unblock(int tries);

  bridge_core& core_;
  group_consumer& to_;
  std::shared_ptr<connection> connection_;
  boost::asio::steady_timer later_;
  std::deque<question> asked_;
  std::deque<std::size_t> requested_;  ///< entries, by the reads under way
  std::deque<std::vector<stream_id>> acknowledging_;
  read_size size_;
  std::size_t own_asked_ = 0;  ///< of those, own ones
  stream_id own_ = {};         ///< own entries up to here were taken up again
  bool has_group_ = false;     ///< it was there at least once
  bool has_own_ = false;       ///< this connection has taken up everything
  bool is_open_ = false;
  bool abounds_ = false;   ///< the last read gave all that was asked for
  bool waits_ = false;     ///< a read under way waits for entries
  bool regroups_ = false;  ///< the group is being made again
  bool rests_ = false;
  bool told_ready_ = false;
  bool stopped_ = false;
};

}  // namespace actorbus::redis
