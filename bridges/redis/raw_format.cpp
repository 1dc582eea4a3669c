#include <bridges/redis/formats.hpp>

namespace actorbus::redis {

namespace {

class raw final : public wire_format {
 public:
  redis::format kind() const noexcept override { return format::raw; }
  bool entries_carry_origin() const noexcept override { return false; }
  bool messages_carry_origin() const noexcept override { return false; }

  void write_entry(std::span<const outgoing> events, std::string& scratch, std::vector<field_view>& to) const override {
    scratch.clear();
    to.assign({field_view{"data", events.front().payload}});
  }
  std::string_view write_message(std::span<const outgoing> events, std::string&) const override {
    return events.front().payload;
  }
  fault read_entry(std::span<const field_view> fields, std::vector<incoming>& to) const override {
    for (const field_view& field : fields) {
      if (field.name == "data" || fields.size() == 1) {
        to.emplace_back().payload = field.value;
        return nullptr;
      }
    }
    return "it has several fields and none is `data`";
  }
  fault read_message(std::string_view message, std::vector<incoming>& to) const override {
    to.emplace_back().payload = message;
    return nullptr;
  }
};

}  // namespace

const wire_format& raw_format() {
  static const raw self;
  return self;
}

}  // namespace actorbus::redis
