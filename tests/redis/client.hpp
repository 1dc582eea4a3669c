// A plain client for tests to look at a server from outside: one command, one reply, each waited for.
//
// Threads: one at a time. Ownership: the connection ends with the object. Waits 20 seconds at most, then throws.
#pragma once

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace actorbus::testing {

class redis_server;

/// The server answered with an error; what() is its text.
class redis_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A reply, whole. Asking for what it is not throws std::logic_error that says what it is.
class redis_reply {
 public:
  enum class kind { nil, status, error, integer, string, array };

  explicit redis_reply(const ::redisReply& from);

  kind type() const noexcept { return kind_; }
  bool is_nil() const noexcept { return kind_ == kind::nil; }
  /// Of a string or a status; of an error inside an array too.
  const std::string& text() const;
  std::int64_t integer() const;
  const std::vector<redis_reply>& list() const;
  /// All texts of a list of texts.
  std::vector<std::string> texts() const;

  std::size_t size() const { return list().size(); }
  const redis_reply& operator[](std::size_t i) const { return list().at(i); }

  /// For messages of tests.
  std::string describe() const;

 private:
  kind kind_;
  std::string text_;
  std::int64_t integer_ = 0;
  std::vector<redis_reply> list_;
};

class redis_client {
 public:
  /// Over the server's unix socket, with its password if it has one.
  explicit redis_client(const redis_server& of);
  /// Throws std::runtime_error if nobody listens there.
  explicit redis_client(const std::string& unix_socket);
  redis_client(const std::string& host, std::uint16_t port);

  /// Runs a command, each argument a word of its own, binary or a number. Throws redis_error.
  template <class... Args>
  redis_reply run(const Args&... args) {
    return run(std::vector<std::string>{word(args)...});
  }
  redis_reply run(const std::vector<std::string>& command);

  /// Sends without waiting for the reply, for pipelines and for what a subscription brings.
  void send(const std::vector<std::string>& command);
  /// The next reply. An error in it is thrown.
  redis_reply read();
  /// Empty: none came within that time.
  std::optional<redis_reply> read_within(std::chrono::milliseconds patience);

 private:
  struct free_context {
    void operator()(::redisContext* context) const { redisFree(context); }
  };
  explicit redis_client(::redisContext* context);

  template <class Arg>
  static std::string word(const Arg& arg) {
    if constexpr (std::is_arithmetic_v<Arg>) {
      return std::to_string(arg);
    } else {
      return std::string(arg);
    }
  }

  std::unique_ptr<::redisContext, free_context> context_;
};

}  // namespace actorbus::testing
