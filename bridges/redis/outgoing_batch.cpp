#include <bridges/redis/outgoing_batch.hpp>

#include <bridges/redis/reused.hpp>

namespace actorbus::redis {

std::size_t outgoing_batch::keep(std::string_view text) {
  const std::size_t at = bytes_.size();
  bytes_ += text;
  return at;
}

void outgoing_batch::add(const outgoing& what) {
  if (added_.empty()) topic_ = what.topic;
  added one{keep(what.payload), what.payload.size(), spots_.size(),        what.fields.size(), nullptr,
            what.content_type,  what.origin,         what.origin_sequence, what.step};
  for (const auto& each : what.fields) {
    const std::size_t name = keep(each.name);
    spots_.push_back({name, each.name.size(), keep(each.value), each.value.size()});
  }
  if (what.headers != nullptr && !what.headers->empty()) one.headers = &headers_.emplace_back(*what.headers);
  added_.push_back(one);
}

std::span<const outgoing> outgoing_batch::events() {
  events_.clear();
  fields_.clear();
  const std::string_view all = bytes_;
  for (const auto& each : spots_)
    fields_.push_back({all.substr(each.name, each.name_size), all.substr(each.value, each.value_size)});
  for (const auto& each : added_) {
    events_.push_back({.topic = topic_,
                       .payload = all.substr(each.payload, each.size),
                       .fields = std::span(fields_).subspan(each.first_field, each.fields),
                       .headers = each.headers,
                       .content_type = each.content_type,
                       .origin = each.origin,
                       .origin_sequence = each.origin_sequence,
                       .step = each.step});
  }
  return events_;
}

void outgoing_batch::clear() {
  topic_.clear();
  empty_for_reuse(bytes_);
  added_.clear();
  spots_.clear();
  headers_.clear();
}

}  // namespace actorbus::redis
