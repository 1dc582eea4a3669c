#include <bridges/redis/data_entry.hpp>
#include <bridges/redis/envelope.hpp>
#include <bridges/redis/formats.hpp>
#include <bridges/redis/stamp.hpp>

namespace actorbus::redis {

namespace {

class native_bytes final : public wire_format {
 public:
  redis::format kind() const noexcept override { return format::native; }
  bool entries_carry_origin() const noexcept override { return true; }
  bool messages_carry_origin() const noexcept override { return true; }

  void write_entry(std::span<const outgoing> events, std::string& scratch, std::vector<field_view>& to) const override {
    write_data_entry(events.front(), scratch, to);
  }
  std::string_view write_message(std::span<const outgoing> events, std::string& scratch) const override {
    return write_envelope(events.front(), scratch);
  }
  fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const override {
    return read_data_entry(fields, channel_field::ignored, to);
  }
  fault read_message(std::string_view message, std::vector<incoming>& to) const override {
    return read_envelope(message, to);
  }
};

/// A stamp is told from a user's field of the same name by its place, the last, and its version.
bool is_stamp(const field_view& last) noexcept { return last.name == stamp_field && last.value.starts_with("1 "); }

class native_fields final : public wire_format {
 public:
  redis::format kind() const noexcept override { return format::native; }
  payload_shape entry_shape() const noexcept override { return payload_shape::fields; }
  bool entries_carry_origin() const noexcept override { return true; }
  bool messages_carry_origin() const noexcept override { return true; }

  void write_entry(std::span<const outgoing> events, std::string& scratch, std::vector<field_view>& to) const override {
    const outgoing& event = events.front();
    to.clear();
    scratch.clear();
    // An entry without a field does not exist, and a user's last field may look like a stamp.
    if (has_told(event) || event.fields.empty() || is_stamp(event.fields.back())) append_stamp(told(event), scratch);
    to.assign(event.fields.begin(), event.fields.end());
    if (!scratch.empty()) to.push_back({stamp_field, scratch});
  }
  std::string_view write_message(std::span<const outgoing> events, std::string& scratch) const override {
    return write_envelope(events.front(), scratch);
  }
  fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const override {
    const bool stamped = !fields.empty() && is_stamp(fields.back());
    incoming& event = to.emplace_back();
    event.fields = fields.first(fields.size() - (stamped ? 1 : 0));
    const fault wrong = stamped ? read_stamp(fields.back().value, event) : nullptr;
    if (wrong != nullptr) to.pop_back();
    return wrong;
  }
  fault read_message(std::string_view message, std::vector<incoming>& to) const override {
    return read_envelope(message, to);
  }

 private:
  /// The content type is that of the payload as bytes, which flat fields are not.
  static outgoing told(outgoing event) noexcept {
    event.content_type = {};
    return event;
  }
  static bool has_told(const outgoing& event) noexcept { return has_stamp(told(event)); }
};

}  // namespace

const wire_format& native_format(payload_shape shape) {
  static const native_bytes bytes;
  static const native_fields fields;
  return shape == payload_shape::bytes ? static_cast<const wire_format&>(bytes) : fields;
}

}  // namespace actorbus::redis
