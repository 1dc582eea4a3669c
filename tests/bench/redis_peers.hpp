// Redis by bare hiredis, as somebody would write it who wants nothing but speed: pipelines of 1,000 commands out, 1,000
// entries a read in. What a bridge is measured against.
#pragma once

#include <hiredis/hiredis.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "receiver.hpp"
#include "tests/redis/redis_server.hpp"

namespace actorbus::bench {

inline constexpr std::size_t pipeline = 1000;
inline constexpr std::size_t message_size = 100;

/// How the server is reached.
enum class link { tcp, unix_socket };

/// 100 bytes that carry what `small` does.
inline void write_message(std::string& to, std::uint64_t number, std::int64_t sent = 0) {
  to.resize(message_size, 'x');
  std::memcpy(to.data(), &number, sizeof number);
  std::memcpy(to.data() + sizeof number, &sent, sizeof sent);
}

inline small read_message(const char* from) {
  small result{};
  std::memcpy(&result.number, from, sizeof result.number);
  std::memcpy(&result.sent, from + sizeof result.number, sizeof result.sent);
  return result;
}

/// One server for the program. It keeps nothing on disk, and drops no subscriber that lags.
inline const testing::redis_server& server() {
  static const testing::redis_server one({.directives = {"client-output-buffer-limit pubsub 0 0 0"}});
  return one;
}

struct free_reply {
  void operator()(::redisReply* reply) const { freeReplyObject(reply); }
};
using reply_ptr = std::unique_ptr<::redisReply, free_reply>;

/// A connection of hiredis, synchronous. Threads: one at a time.
class connection {
 public:
  explicit connection(link over)
      : context_(over == link::tcp ? redisConnect("127.0.0.1", server().port())
                                   : redisConnectUnix(server().unix_socket().c_str())) {
    if (!context_ || context_->err != 0) throw std::runtime_error("no connection to redis-server");
  }

  void append(const std::vector<std::string_view>& words) {
    pointers_.clear();
    sizes_.clear();
    for (const auto each : words) {
      pointers_.push_back(each.data());
      sizes_.push_back(each.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), pointers_.data(), sizes_.data());
  }
  reply_ptr next() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) throw std::runtime_error(context_->errstr);
    reply_ptr owned(static_cast<::redisReply*>(reply));
    if (owned->type == REDIS_REPLY_ERROR) throw std::runtime_error(owned->str);
    return owned;
  }
  reply_ptr run(const std::vector<std::string_view>& words) {
    append(words);
    return next();
  }

 private:
  struct free_context {
    void operator()(::redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<::redisContext, free_context> context_;
  std::vector<const char*> pointers_;
  std::vector<std::size_t> sizes_;
};

/// Commands in pipelines. Threads: one at a time.
class pipelined {
 public:
  explicit pipelined(link over) : to_(over) {}

  void send(const std::vector<std::string_view>& words) {
    to_.append(words);
    if (++waiting_ == pipeline) flush();
  }
  void flush() {
    for (; waiting_ != 0; --waiting_) to_.next();
  }
  connection& plain() { return to_; }

 private:
  connection to_;
  std::size_t waiting_ = 0;
};

/// Calls `take` with each message of the entries of [[stream, [[id, [field, value]], ...]]]; returns the last id.
template <class Take>
std::string for_each_message(const ::redisReply& reply, Take take) {
  const ::redisReply& entries = *reply.element[0]->element[1];
  for (std::size_t i = 0; i < entries.elements; ++i) {
    const ::redisReply& value = *entries.element[i]->element[1]->element[1];
    for (std::size_t at = 0; at + message_size <= value.len; at += message_size) take(read_message(value.str + at));
  }
  if (entries.elements == 0) return {};
  const ::redisReply& last = *entries.element[entries.elements - 1]->element[0];
  return {last.str, last.len};
}

/// PUBLISH to SUBSCRIBE. Peers that deliver have `send`, `flush` and `clear`, which forgets between rounds.
template <class Receiver>
class bare_pubsub {
 public:
  bare_pubsub(link over, Receiver& to) : out_(over), in_(over) {
    in_.run({"SUBSCRIBE", "bench"});
    thread_ = std::thread([this, &to] {
      for (;;) {
        const reply_ptr message = in_.next();
        const ::redisReply& data = *message->element[2];
        if (data.len == 0) return;
        to.take(read_message(data.str));
      }
    });
  }
  ~bare_pubsub() {
    out_.plain().run({"PUBLISH", "bench", ""});
    thread_.join();
  }

  void send(const std::string& message) { out_.send({"PUBLISH", "bench", message}); }
  void flush() { out_.flush(); }
  void clear() {}

 private:
  pipelined out_;
  connection in_;
  std::thread thread_;
};

/// XADD to XREAD BLOCK, `PerEntry` messages in an entry.
template <class Receiver, std::size_t PerEntry = 1>
class bare_stream {
 public:
  bare_stream(link over, Receiver& to) : out_(over), in_(over) {
    out_.plain().run({"DEL", "bench"});
    thread_ = std::thread([this, &to] { read(to); });
  }
  ~bare_stream() {
    out_.plain().run({"XADD", "bench", "*", "d", "end"});
    thread_.join();
    out_.plain().run({"DEL", "bench"});
  }

  void send(const std::string& message) {
    if constexpr (PerEntry == 1) {
      out_.send({"XADD", "bench", "*", "d", message});
    } else {
      entry_ += message;
      if (entry_.size() == PerEntry * message_size) add();
    }
  }
  void flush() {
    if (!entry_.empty()) add();
    out_.flush();
  }
  void clear() { out_.plain().run({"XTRIM", "bench", "MAXLEN", "0"}); }

 private:
  void add() {
    out_.send({"XADD", "bench", "*", "d", entry_});
    entry_.clear();
  }
  void read(Receiver& to) {
    std::string last = "0";
    for (;;) {
      const reply_ptr reply = in_.run({"XREAD", "COUNT", "1000", "BLOCK", "0", "STREAMS", "bench", last});
      std::size_t messages = 0;
      last = for_each_message(*reply, [&](const small& each) {
        ++messages;
        to.take(each);
      });
      if (messages == 0) return;  // only the end
    }
  }

  pipelined out_;
  connection in_;
  std::string entry_;
  std::thread thread_;
};

}  // namespace actorbus::bench
