#include "tests/redis/client.hpp"

#include <poll.h>

#include <cstddef>
#include <utility>

#include "tests/redis/no_broken_pipe.hpp"
#include "tests/redis/redis_server.hpp"

namespace actorbus::testing {

namespace {

constexpr std::chrono::seconds patience{20};
constexpr timeval to_connect{5, 0};

redis_reply::kind kind_of(const ::redisReply& from) {
  switch (from.type) {
    case REDIS_REPLY_STATUS:
      return redis_reply::kind::status;
    case REDIS_REPLY_ERROR:
      return redis_reply::kind::error;
    case REDIS_REPLY_INTEGER:
      return redis_reply::kind::integer;
    case REDIS_REPLY_STRING:
      return redis_reply::kind::string;
    case REDIS_REPLY_ARRAY:
      return redis_reply::kind::array;
    default:
      return redis_reply::kind::nil;
  }
}

[[noreturn]] void fail(const ::redisContext& context) {
  throw std::runtime_error(std::string("the connection to redis-server failed: ") + context.errstr);
}

}  // namespace

redis_reply::redis_reply(const ::redisReply& from) : kind_(kind_of(from)) {
  if (kind_ == kind::integer) integer_ = from.integer;
  if (from.str != nullptr && kind_ != kind::integer && kind_ != kind::array) text_.assign(from.str, from.len);
  if (kind_ != kind::array) return;
  for (std::size_t i = 0; i < from.elements; ++i) list_.emplace_back(*from.element[i]);
}

const std::string& redis_reply::text() const {
  if (kind_ == kind::string || kind_ == kind::status || kind_ == kind::error) return text_;
  throw std::logic_error("the reply is no text but " + describe());
}

std::int64_t redis_reply::integer() const {
  if (kind_ == kind::integer) return integer_;
  throw std::logic_error("the reply is no integer but " + describe());
}

const std::vector<redis_reply>& redis_reply::list() const {
  if (kind_ == kind::array) return list_;
  throw std::logic_error("the reply is no list but " + describe());
}

std::vector<std::string> redis_reply::texts() const {
  std::vector<std::string> result;
  for (const auto& each : list()) result.push_back(each.text());
  return result;
}

std::string redis_reply::describe() const {
  switch (kind_) {
    case kind::nil:
      return "nil";
    case kind::integer:
      return std::to_string(integer_);
    case kind::error:
      return "the error " + text_;
    case kind::status:
    case kind::string:
      return '"' + text_ + '"';
    case kind::array:
      break;
  }
  std::string result = "[";
  for (const auto& each : list_) result += (result.size() == 1 ? "" : ", ") + each.describe();
  return result + ']';
}

redis_client::redis_client(::redisContext* context) : context_(context) {
  if (!context_) throw std::bad_alloc();
  if (context_->err != 0) fail(*context_);
}

redis_client::redis_client(const std::string& unix_socket)
    : redis_client(redisConnectUnixWithTimeout(unix_socket.c_str(), to_connect)) {}

redis_client::redis_client(const std::string& host, std::uint16_t port)
    : redis_client(redisConnectWithTimeout(host.c_str(), port, to_connect)) {}

redis_client::redis_client(const redis_server& of) : redis_client(of.unix_socket()) {
  if (!of.password().empty()) run("AUTH", of.password());
}

redis_reply redis_client::run(const std::vector<std::string>& command) {
  send(command);
  return read();
}

void redis_client::send(const std::vector<std::string>& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const auto& each : command) {
    words.push_back(each.data());
    sizes.push_back(each.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(), sizes.data()) != REDIS_OK) {
    fail(*context_);
  }
}

redis_reply redis_client::read() {
  auto reply = read_within(patience);
  if (!reply) throw std::runtime_error("redis-server did not answer in time");
  return std::move(*reply);
}

std::optional<redis_reply> redis_client::read_within(std::chrono::milliseconds wait) {
  const no_broken_pipe guard;
  for (int sent = 0; sent == 0;) {
    if (redisBufferWrite(context_.get(), &sent) != REDIS_OK) fail(*context_);
  }
  const auto deadline = std::chrono::steady_clock::now() + wait;
  void* reply = nullptr;
  for (;;) {
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) fail(*context_);
    if (reply != nullptr) break;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable{context_->fd, POLLIN, 0};
    if (left.count() < 0 || poll(&readable, 1, static_cast<int>(left.count())) == 0) return std::nullopt;
    if (redisBufferRead(context_.get()) != REDIS_OK) fail(*context_);
  }
  const std::unique_ptr<void, decltype(&freeReplyObject)> owner(reply, &freeReplyObject);
  redis_reply result(*static_cast<::redisReply*>(reply));
  if (result.type() == redis_reply::kind::error) throw redis_error(result.text());
  return result;
}

}  // namespace actorbus::testing
