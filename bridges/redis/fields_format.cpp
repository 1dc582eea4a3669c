#include <bridges/redis/formats.hpp>
#include <bus/errors.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

class flat_fields final : public wire_format {
 public:
  redis::format kind() const noexcept override { return format::fields; }
  payload_shape entry_shape() const noexcept override { return payload_shape::fields; }
  bool entries_carry_origin() const noexcept override { return false; }
  bool messages_carry_origin() const noexcept override { return false; }

  void write_entry(std::span<const outgoing> events, std::string& scratch, std::vector<field_view>& to) const override {
    const outgoing& event = events.front();
    scratch.clear();
    to.assign(event.fields.begin(), event.fields.end());
    if (to.empty()) {
      throw bus_error(errc::invalid_argument, "an event of " + core::quoted(event.topic) +
                                                  " has no fields, and the entry of a stream needs one; the format "
                                                  "`native` takes it");
    }
  }
  std::string_view write_message(std::span<const outgoing> events, std::string&) const override {
    return events.front().payload;
  }
  fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const override {
    to.emplace_back().fields = fields;
    return nullptr;
  }
  fault read_message(std::string_view message, std::vector<incoming>& to) const override {
    to.emplace_back().payload = message;
    return nullptr;
  }
};

}  // namespace

const wire_format& fields_format() {
  static const flat_fields self;
  return self;
}

}  // namespace actorbus::redis
