#include <bridges/redis/envelope.hpp>

#include <bridges/redis/stamp.hpp>

namespace actorbus::redis {

std::string_view write_envelope(const outgoing& event, std::string& scratch) {
  scratch.clear();
  if (!has_stamp(event) && !event.payload.starts_with(envelope_magic)) return event.payload;
  scratch += envelope_magic;
  append_stamp(event, scratch);
  scratch += '\n';
  scratch += event.payload;
  return scratch;
}

fault read_envelope(std::string_view message, std::vector<incoming>& to) {
  if (!message.starts_with(envelope_magic)) {
    to.emplace_back().payload = message;
    return nullptr;
  }
  if (message.starts_with(packed_magic)) return "its events are packed, and this route does not read the format packed";
  message.remove_prefix(envelope_magic.size());
  const std::size_t end = message.find('\n');
  if (end == message.npos) return "its envelope has no line feed before the payload";
  incoming& event = to.emplace_back();
  event.payload = message.substr(end + 1);
  const fault wrong = read_stamp(message.substr(0, end), event);
  if (wrong != nullptr) to.pop_back();
  return wrong;
}

}  // namespace actorbus::redis
