#include <bridges/redis/reply.hpp>

#include <hiredis/read.h>

#include <cstring>
#include <new>
#include <utility>

namespace actorbus::redis {

namespace {

constexpr std::size_t block_size = std::size_t{64} * 1024;
constexpr std::size_t largest_kept = std::size_t{1024} * 1024;

/// More elements in one array than any honest answer has: garbage must not take all memory.
constexpr int most_elements = 16 * 1024 * 1024;

/// An array's elements are made one by one as they come: what an array claims to have takes no memory yet.
reply* place_for(const redisReadTask* task, arena& in) {
  if (task->parent == nullptr) return ::new (in.allocate(sizeof(reply))) reply;
  const auto& all = static_cast<reply*>(task->parent->obj)->elements;
  return ::new (all.data() + static_cast<std::size_t>(task->idx)) reply;
}

/// No exception goes through C: null is an error there.
template <class Fill>
void* made(const redisReadTask* task, Fill fill) noexcept {
  try {
    auto& memory = *static_cast<arena*>(task->privdata);
    reply* const to = place_for(task, memory);
    fill(*to, memory);
    return to;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void* create_string(const redisReadTask* task, char* text, std::size_t size) {
  return made(task, [&](reply& to, arena& memory) {
    to.kind = task->type == REDIS_REPLY_ERROR    ? reply_kind::error
              : task->type == REDIS_REPLY_STATUS ? reply_kind::status
                                                 : reply_kind::string;
    auto* copy = static_cast<char*>(memory.allocate(size));
    if (size != 0) std::memcpy(copy, text, size);
    to.text = {copy, size};
  });
}

void* create_array(const redisReadTask* task, int elements) {
  if (elements < 0 || elements > most_elements) return nullptr;
  return made(task, [&](reply& to, arena& memory) {
    const auto count = static_cast<std::size_t>(elements);
    to.kind = reply_kind::array;
    to.elements = {static_cast<reply*>(memory.allocate(count * sizeof(reply))), count};
  });
}

void* create_integer(const redisReadTask* task, long long value) {
  return made(task, [&](reply& to, arena&) {
    to.kind = reply_kind::integer;
    to.integer = value;
  });
}

void* create_nil(const redisReadTask* task) {
  return made(task, [](reply& to, arena&) { to.kind = reply_kind::nil; });
}

void free_object(void*) {}  // the arena's

redisReplyObjectFunctions functions{create_string, create_array, create_integer, create_nil, free_object};

}  // namespace

void* arena::allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + alignof(reply) - 1) / alignof(reply) * alignof(reply);
  while (current_ < blocks_.size() && blocks_[current_].size - used_ < rounded) {
    ++current_;
    used_ = 0;
  }
  if (current_ == blocks_.size()) {
    const std::size_t size = rounded > block_size ? rounded : block_size;
    blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[size]), size});
    used_ = 0;
  }
  void* const at = blocks_[current_].bytes.get() + used_;
  used_ += rounded;
  return at;
}

std::size_t arena::used() const {
  std::size_t sum = used_;
  for (std::size_t i = 0; i < current_ && i < blocks_.size(); ++i) sum += blocks_[i].size;
  return sum;
}

void arena::reset() {
  std::size_t kept = 0;
  if (current_ != 0) {
    std::erase_if(blocks_, [&](const block& each) { return (kept += each.size) > largest_kept; });
  } else if (!blocks_.empty() && blocks_[0].size > largest_kept) {
    blocks_.clear();
  }
  current_ = 0;
  used_ = 0;
}

void reply_reader::release::operator()(redisReader* reader) const { redisReaderFree(reader); }

reply_reader::reply_reader() { reset(); }
reply_reader::~reply_reader() = default;

void reply_reader::reset() {
  begin();
  memory_->reset();
  error_.clear();
}

void reply_reader::begin() {
  reader_.reset(redisReaderCreateWithFunctions(&functions));
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = memory_.get();
  fed_ = 0;
}

void reply_reader::feed(std::string_view bytes) {
  if (!error_.empty()) return;
  // It would keep a large buffer for as long as a few bytes are in it whenever more come, be they read or not.
  const bool is_empty = reader_->ridx == -1 && reader_->pos == reader_->len;
  if (fed_ > largest_kept && is_empty) begin();
  fed_ += bytes.size();
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) error_ = reader_->errstr;
}

const reply* reply_reader::next() {
  if (!error_.empty()) return nullptr;
  void* result = nullptr;
  // Nothing in the middle of being read: then the last reply's memory is free.
  if (reader_->ridx == -1) memory_->reset();
  if (redisReaderGetReply(reader_.get(), &result) != REDIS_OK) {
    error_ = std::string("not what a Redis server says: ") + reader_->errstr;
    return nullptr;
  }
  return static_cast<const reply*>(result);
}

std::unique_ptr<arena> reply_reader::take_memory() {
  auto taken = std::exchange(memory_, std::make_unique<arena>());
  reader_->privdata = memory_.get();
  return taken;
}

}  // namespace actorbus::redis
