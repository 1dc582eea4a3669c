// Events of one topic that go out together, copied: the payloads a route reads are borrowed for a call only.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include <bridges/redis/wire_format.hpp>

namespace actorbus::redis {

class outgoing_batch {
 public:
  void add(const outgoing& what);
  /// The events; valid until the next add or clear.
  std::span<const outgoing> events();
  void clear();

  bool empty() const { return added_.empty(); }
  std::size_t size() const { return added_.size(); }
  std::size_t bytes() const { return bytes_.size(); }
  const std::string& topic() const { return topic_; }

 private:
  struct added {
    std::size_t payload, size;         ///< where it lies in bytes_
    std::size_t first_field, fields;   ///< where its fields are told in spots_
    const actorbus::headers* headers;  ///< in headers_, or null
    std::string_view content_type;
    std::uint64_t origin, origin_sequence, step;
  };
  struct spot {
    std::size_t name, name_size, value, value_size;
  };
  std::size_t keep(std::string_view text);

  std::string topic_;
  std::string bytes_;
  std::vector<added> added_;
  std::vector<spot> spots_;
  std::deque<actorbus::headers> headers_;
  std::vector<outgoing> events_;
  std::vector<field_view> fields_;
};

}  // namespace actorbus::redis
