#include <bridges/redis/data_entry.hpp>

#include <bridges/redis/stamp.hpp>

namespace actorbus::redis {

void write_data_entry(const outgoing& event, std::string& scratch, std::vector<field_view>& to) {
  to.clear();
  scratch.clear();
  if (has_stamp(event)) append_stamp(event, scratch);
  to.push_back({"data", event.payload});
  to.push_back({"channel", event.topic});
  if (!scratch.empty()) to.push_back({stamp_field, scratch});
}

fault read_data_entry(std::span<const field_view> fields, channel_field channel, std::vector<incoming>& to) {
  const field_view* data = nullptr;
  const field_view* name = nullptr;
  const field_view* stamp = nullptr;
  for (const field_view& field : fields) {
    if (data == nullptr && field.name == "data") {
      data = &field;
    } else if (name == nullptr && field.name == "channel") {
      name = &field;
    } else if (stamp == nullptr && field.name == stamp_field) {
      stamp = &field;
    }
  }
  if (data == nullptr) return "it has no field `data`";
  incoming& event = to.emplace_back();
  event.payload = data->value;
  if (name != nullptr && channel == channel_field::is_topic) event.topic = name->value;
  const fault wrong = stamp != nullptr ? read_stamp(stamp->value, event) : nullptr;
  if (wrong != nullptr) to.pop_back();
  return wrong;
}

}  // namespace actorbus::redis
