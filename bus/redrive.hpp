// Putting dead letters back on the topics they came from.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <bus/dead_letter.hpp>
#include <bus/subscribing.hpp>
#include <bus/topic_of.hpp>

namespace actorbus::core {

/// See bus::redrive.
template <class T>
std::size_t redrive(const std::shared_ptr<bus_core>& bus, std::string_view name) {
  struct handle {
    std::shared_ptr<topic_core> topic;
    ~handle() { topic->drop_handle(); }
  };
  const handle dead{open_topic(bus, name, kind_of<T>(), nullptr)};
  std::lock_guard one_at_a_time(bus->redriving);
  dead.topic->help();
  const log& letters = dead.topic->log();
  const std::uint64_t end = letters.end();
  const std::uint64_t kept = std::min<std::uint64_t>(dead.topic->options().history, end - letters.first());
  std::uint64_t& next = dead.topic->redriven_to;
  next = std::max(next, end - kept);
  std::size_t count = 0;
  for (; next < end; ++next) {
    const stretch pinned =
        letters.pin(next);  // goes on to the oldest there is, should newer letters have pushed some out
    if (next >= end) break;
    const entry_view letter{pinned.holder(), pinned.holder()->at(next), next};
    const std::string* origin = letter.headers().find(dead_letter::topic);
    if (origin == nullptr) continue;  // published there by somebody else
    const handle back{open_topic(bus, *origin, kind_of<T>(), nullptr)};
    auto* note = new annotation;
    annotation_ptr owned(note);
    note->headers = letter.headers();
    for (const char* each : {dead_letter::topic, dead_letter::sequence, dead_letter::attempts, dead_letter::error}) {
      note->headers.erase(each);
    }
    note->origin = letter.origin();
    note->origin_sequence = letter.origin_sequence();
    auto& to = static_cast<topic_of<T>&>(*back.topic);
    auto slot = [&]() -> std::shared_ptr<lane>& { return lane_set::current().at(to.id()); };
    const T* value = static_cast<const entry_of<T>*>(letter.at)->value();
    std::error_code refused;
    if constexpr (std::is_copy_constructible_v<T>) {
      refused = to.accept(slot, arrival<const T>{value, note}, topic_of<T>::forever);
    } else {
      note->elsewhere = letter.refer_to(value);
      refused = to.accept(slot, bare_arrival{note}, topic_of<T>::forever);
    }
    if (refused) throw bus_error(refused, "redrive '" + std::string(name) + "' to '" + *origin + "'");
    owned.leave();
    ++count;
  }
  return count;
}

}  // namespace actorbus::core
