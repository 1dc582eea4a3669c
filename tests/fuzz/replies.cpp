// Any bytes as the server's answers: whole or in pieces they are the same replies, or the same error.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <bridges/redis/reply.hpp>
#include <bridges/redis/stream_cursor.hpp>

using namespace actorbus::redis;

namespace {

void write(const reply& what, std::string& to) {
  to.append(1, static_cast<char>('0' + static_cast<int>(what.kind))).append(std::to_string(what.integer));
  to.append(1, ' ').append(std::to_string(what.text.size())).append(1, ' ').append(what.text);
  to.append(1, '[');
  for (const reply& each : what.elements) write(each, to);
  to.append(1, ']');
}

/// What is read, as text, until nothing more is.
std::string read(std::string_view bytes, std::size_t piece) {
  reply_reader reader;
  std::string all;
  for (; !bytes.empty() && reader.error().empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.feed(bytes.substr(0, piece));
    while (const reply* one = reader.next()) {
      write(*one, all);
      const stream_facts facts = stream_facts::of(*one);
      if (facts.exists != one->is_array()) std::abort();
    }
  }
  return all.append(reader.error().empty() ? "" : "!");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (read(bytes, size) != read(bytes, data[0] % 16u + 1)) std::abort();
  return 0;
}
