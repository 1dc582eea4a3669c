#include <algorithm>

#include <bridges/redis/data_entry.hpp>
#include <bridges/redis/envelope.hpp>
#include <bridges/redis/formats.hpp>
#include <bridges/redis/packed_layout.hpp>

namespace actorbus::redis {

namespace {

constexpr std::string_view packed_field = "packed";

/// What is not packed is read as native, so that a bare PUBLISH or XADD is an event here too.
class packed final : public wire_format {
 public:
  redis::format kind() const noexcept override { return format::packed; }
  std::size_t max_events() const noexcept override { return max_packed_events; }
  bool entries_carry_origin() const noexcept override { return true; }
  bool messages_carry_origin() const noexcept override { return true; }

  void write_entry(std::span<const outgoing> events, std::string& scratch, std::vector<field_view>& to) const override {
    to.clear();
    write_packed(events, scratch);
    to.push_back({packed_field, scratch});
  }
  std::string_view write_message(std::span<const outgoing> events, std::string& scratch) const override {
    write_packed(events, scratch);
    return scratch;
  }
  fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const override {
    const field_view* const field = find(fields);
    if (field == nullptr) return read_data_entry(fields, channel_field::ignored, to);
    if (!field->value.starts_with(packed_magic)) return "its packed events are of no known version";
    return read_packed(field->value, to);
  }
  fault read_message(std::string_view message, std::vector<incoming>& to) const override {
    return message.starts_with(packed_magic) ? read_packed(message, to) : read_envelope(message, to);
  }
  std::size_t count_entry(std::span<const field_view> fields) const noexcept override {
    const field_view* const field = find(fields);
    return field == nullptr ? 1 : count_packed(field->value);
  }

 private:
  static const field_view* find(std::span<const field_view> fields) noexcept {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [](const field_view& field) { return field.name == packed_field; });
    return found == fields.end() ? nullptr : &*found;
  }
};

}  // namespace

const wire_format& packed_format() {
  static const packed self;
  return self;
}

}  // namespace actorbus::redis
