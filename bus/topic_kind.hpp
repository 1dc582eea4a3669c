// What the parts that know no payload type need of one: how to make its topic, read its value, bury its dead.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <bus/dead_letter.hpp>
#include <bus/entry.hpp>

namespace actorbus::core {

class bus_core;
class topic_core;

struct topic_kind {
  const payload_type& payload;
  std::shared_ptr<topic_core> (*make)(std::shared_ptr<bus_core> bus, std::string name, std::uint64_t first_sequence);
  const void* (*value_of)(const entry_view& view);
  std::unique_ptr<dead_letter_box> (*dead_letters)(std::shared_ptr<topic_core> into);
};

}  // namespace actorbus::core
