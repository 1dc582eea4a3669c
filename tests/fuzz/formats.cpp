// Any entry and any message, read by every format; what can be read is written and read again, and must be the same.
#include <fuzzer/FuzzedDataProvider.h>
#include <cstdlib>

#include <bridges/redis/wire_format.hpp>
#include <bus/errors.hpp>

using namespace actorbus;
using namespace actorbus::redis;

namespace {

const wire_format& pick(FuzzedDataProvider& from) {
  const auto which = static_cast<format>(from.ConsumeIntegralInRange<int>(0, static_cast<int>(format::watermill)));
  return wire_format_of(which,
                        which == format::fields || from.ConsumeBool() ? payload_shape::fields : payload_shape::bytes);
}

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<outgoing> as_outgoing(const std::vector<incoming>& events) {
  std::vector<outgoing> result;
  for (const incoming& e : events) {
    result.push_back({e.topic, e.payload, e.fields, &e.headers, e.content_type, e.origin, e.origin_sequence});
  }
  return result;
}

void require_same(const std::vector<incoming>& left, const std::vector<incoming>& right) {
  require(left.size() == right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    require(left[i].payload == right[i].payload);
    require(left[i].headers == right[i].headers);
    require(left[i].origin == right[i].origin);
    require(left[i].origin_sequence == right[i].origin_sequence);
    require(left[i].place == right[i].place);
    require(std::equal(left[i].fields.begin(), left[i].fields.end(), right[i].fields.begin(), right[i].fields.end()));
  }
}

void try_message(const wire_format& format, FuzzedDataProvider& from) {
  const std::string message = from.ConsumeRemainingBytesAsString();
  std::vector<incoming> events;
  const fault wrong = format.read_message(message, events);
  require((wrong == nullptr) == !events.empty());
  if (wrong != nullptr) return;
  try {
    std::string scratch;
    std::vector<incoming> again;
    const std::string_view written = format.write_message(as_outgoing(events), scratch);
    require(format.read_message(written, again) == nullptr);
    require_same(events, again);
  } catch (const bus_error&) {  // a content type with control characters can be read, not written
  }
}

void try_entry(const wire_format& format, FuzzedDataProvider& from) {
  static const std::vector<std::string> known{"data",     "channel", "actorbus", "packed", "_watermill_message_uuid",
                                              "metadata", "payload", ""};
  std::vector<std::pair<std::string, std::string>> fields;
  while (from.remaining_bytes() != 0 && fields.size() < 6) {
    std::string name =
        from.ConsumeBool()
            ? from.PickValueInArray({known[0], known[1], known[2], known[3], known[4], known[5], known[6], known[7]})
            : from.ConsumeRandomLengthString();
    fields.emplace_back(std::move(name), from.ConsumeRandomLengthString());
  }
  std::vector<field_view> views;
  for (const auto& [name, value] : fields) views.push_back({name, value});
  std::vector<incoming> events;
  static_cast<void>(format.count_entry(views));
  const fault wrong = format.read_entry(views, events);
  require((wrong == nullptr) == !events.empty());
  if (wrong != nullptr) return;
  require(format.count_entry(views) == events.size());
  try {
    std::string scratch;
    std::vector<field_view> written;
    std::vector<incoming> again;
    format.write_entry(as_outgoing(events), scratch, written);
    require(format.read_entry(written, again) == nullptr);
    require_same(events, again);
  } catch (const bus_error&) {  // as above; and no fields at all
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider from(data, size);
  const wire_format& format = pick(from);
  from.ConsumeBool() ? try_message(format, from) : try_entry(format, from);
  return 0;
}
