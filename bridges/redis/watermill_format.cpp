// Written after pkg/redisstream/marshaller.go of https://github.com/ThreeDotsLabs/watermill-redisstream.
#include <algorithm>

#include <bridges/redis/formats.hpp>
#include <bridges/redis/msgpack_map.hpp>
#include <bridges/redis/stamp.hpp>
#include <bus/errors.hpp>

namespace actorbus::redis {

namespace {

constexpr std::string_view uuid_field = "_watermill_message_uuid";

/// A UUID of version 8, which leaves its bits to us: the origin and the sequence there, so that an event sent again
/// keeps it. Four bits of the one and two of the other give way to version and variant.
void append_uuid(std::uint64_t origin, std::uint64_t sequence, std::string& to) {
  constexpr char digits[] = "0123456789abcdef";
  const std::uint64_t halves[] = {(origin & ~0xf000ULL) | 0x8000, (sequence & ~(3ULL << 62)) | 2ULL << 62};
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) to += '-';
    to += digits[halves[i / 16] >> (60 - 4 * (i % 16)) & 0xf];
  }
}

std::string_view given_uuid(const outgoing& event) noexcept {
  return event.headers != nullptr ? event.headers->get(uuid_field) : std::string_view();
}

/// Watermill writes no map where there is nothing in it.
bool has_metadata(const outgoing& event) noexcept {
  return event.headers != nullptr && event.headers->size() > (event.headers->contains(uuid_field) ? 1U : 0U);
}

class watermill final : public wire_format {
 public:
  redis::format kind() const noexcept override { return format::watermill; }
  bool has_messages() const noexcept override { return false; }
  bool entries_carry_origin() const noexcept override { return true; }
  bool messages_carry_origin() const noexcept override { return false; }

  void write_entry(std::span<const outgoing> events, std::string& scratch, std::vector<field_view>& to) const override {
    to.clear();
    scratch.clear();
    const outgoing& event = events.front();
    require_headers(event);
    outgoing unheaded = event;
    unheaded.headers = nullptr;
    if (has_stamp(unheaded)) append_stamp(unheaded, scratch);
    const std::size_t stamped = scratch.size();
    std::string_view uuid = given_uuid(event);
    if (uuid.empty() && event.origin != 0) append_uuid(event.origin, event.origin_sequence, scratch);
    const std::size_t identified = scratch.size();
    if (has_metadata(event)) append_msgpack_map(*event.headers, uuid_field, scratch);
    // Only now does `scratch` stay where it is.
    const std::string_view made(scratch);
    if (uuid.empty()) uuid = made.substr(stamped, identified - stamped);
    to.push_back({uuid_field, uuid});
    to.push_back({"metadata", made.substr(identified)});
    to.push_back({"payload", event.payload});
    if (stamped != 0) to.push_back({stamp_field, made.substr(0, stamped)});
  }

  fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const override {
    incoming& event = to.emplace_back();
    const fault wrong = read(fields, event);
    if (wrong != nullptr) to.pop_back();
    return wrong;
  }

  std::string_view write_message(std::span<const outgoing>, std::string&) const override {
    throw bus_error(errc::unsupported, "the format `watermill` has streams only; for pub/sub take `native` or `raw`");
  }
  fault read_message(std::string_view, std::vector<incoming>&) const override {
    return "the format `watermill` has streams only";
  }

 private:
  static fault read(std::span<const field_view> fields, incoming& event) {
    const auto find = [&](std::string_view name) {
      return std::find_if(fields.begin(), fields.end(), [=](const field_view& field) { return field.name == name; });
    };
    const auto uuid = find(uuid_field), metadata = find("metadata"), payload = find("payload"),
               stamp = find(stamp_field);
    if (uuid == fields.end()) return "it has no field `_watermill_message_uuid`";
    if (payload != fields.end()) event.payload = payload->value;
    if (metadata != fields.end() && !metadata->value.empty()) {
      if (const fault wrong = read_msgpack_map(metadata->value, event.headers)) return wrong;
    }
    if (stamp != fields.end()) {
      if (const fault wrong = read_stamp(stamp->value, event)) return wrong;
    }
    event.headers.erase(uuid_field);  // a key that Watermill reserves
    std::string own;
    if (event.origin != 0) append_uuid(event.origin, event.origin_sequence, own);
    if (!uuid->value.empty() && uuid->value != own) {
      event.headers.set(std::string(uuid_field), std::string(uuid->value));
    }
    return nullptr;
  }
};

}  // namespace

const wire_format& watermill_format() {
  static const watermill self;
  return self;
}

}  // namespace actorbus::redis
