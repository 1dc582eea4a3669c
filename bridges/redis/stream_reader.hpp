// The connection that streams are read on: XREAD BLOCK over all whose topics have room, one read ahead.
//
// With each read it asks what the server knows of the streams (XINFO), so that nothing trimmed or deleted goes
// unnoticed. That stands behind the XREAD in the same packet: when entries come, the server does both in one go, and
// what was read is handed on once it is known whether it still belongs to what came before.
// Threads: the loop's.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/read_size.hpp>
#include <bridges/redis/stream_feed.hpp>

namespace actorbus::redis {

class stream_reader final : public connection_owner, public reply_sink {
 public:
  explicit stream_reader(bridge_core& of);
  ~stream_reader() override;

  void add(const std::shared_ptr<stream_feed>& which);
  void remove(const std::shared_ptr<stream_feed>& which);
  void stop();
  /// Reads, if it does not, and somebody wants something.
  void pump();
  /// The present read does not include a stream that now wants to be read: ends it.
  void interrupt();
  /// A stream cannot be read: tried again after a while.
  void broken(stream_feed& which, const std::string& why);

  void on_connecting(connection& which) override;
  void on_open(connection& which) override;
  void on_lost(connection& which, const std::string& reason) override;
  void on_push(connection& which, const reply& what) override;

  void take(const reply& what, connection& by) override;
  void lost(std::size_t count) override;

 private:
  void read(std::vector<std::shared_ptr<stream_feed>> from);
  void keep(const reply& what, connection& by);
  void read_is_over();
  void tell_ready();
  void look_again();

  bridge_core& core_;
  std::shared_ptr<connection> connection_;
  boost::asio::steady_timer later_;
  std::unordered_map<std::string, std::shared_ptr<stream_feed>> feeds_;
  std::vector<std::shared_ptr<stream_feed>> in_read_;  ///< those the present read includes
  std::size_t looked_at_ = 0;                          ///< of those, whose XINFO was answered
  bool awaits_entries_ = false;                        ///< the XREAD's reply, before those
  bool abounds_ = false;                               ///< it brought as much as it asked for, or much
  bool was_refused_ = false;                           ///< the XREAD
  read_size size_;                                     ///< of one stream
  bool is_open_ = false;
  bool reads_ = false;
  bool stopped_ = false;
};

}  // namespace actorbus::redis
