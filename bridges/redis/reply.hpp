// What the server answers, as hiredis' reader takes it apart, in memory that is given back all at once.
//
// A reply is a tree in an arena: no allocation for each element. Borrowed: it is valid until the reader reads the next
// one, unless its arena was taken over. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace actorbus::redis {

enum class reply_kind : std::uint8_t { nil, string, status, error, integer, array };

struct reply {
  reply_kind kind = reply_kind::nil;
  std::int64_t integer = 0;
  std::string_view text = {};      ///< of a string, a status, an error
  std::span<reply> elements = {};  ///< of an array

  bool is_error() const { return kind == reply_kind::error; }
  bool is_text() const { return kind == reply_kind::string || kind == reply_kind::status; }
  bool is_array() const { return kind == reply_kind::array; }
  /// The first word of an error, such as NOSCRIPT; empty for anything else.
  std::string_view error_code() const { return is_error() ? text.substr(0, text.find(' ')) : std::string_view{}; }
};

/// Memory that grows and is forgotten as a whole; large blocks are given back then.
class arena {
 public:
  void* allocate(std::size_t bytes);
  void reset();
  std::size_t used() const;

 private:
  struct block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };
  std::vector<block> blocks_;
  std::size_t current_ = 0;
  std::size_t used_ = 0;
};

/// Takes bytes from the server, gives replies.
class reply_reader {
 public:
  reply_reader();
  ~reply_reader();
  reply_reader(const reply_reader&) = delete;
  reply_reader& operator=(const reply_reader&) = delete;

  void feed(std::string_view bytes);
  /// The next whole reply, null if there is none yet or the bytes are no RESP: see error(). The one before is gone.
  const reply* next();
  /// Why nothing more can be read; empty while all is well.
  const std::string& error() const { return error_; }
  /// Takes over the memory of the reply that `next` returned last.
  std::unique_ptr<arena> take_memory();
  /// Forgets everything: another connection begins.
  void reset();

 private:
  struct release {
    void operator()(redisReader* reader) const;
  };
  void begin();

  std::unique_ptr<arena> memory_ = std::make_unique<arena>();
  std::unique_ptr<redisReader, release> reader_;
  std::size_t fed_ = 0;  ///< to this one
  std::string error_;
};

}  // namespace actorbus::redis
