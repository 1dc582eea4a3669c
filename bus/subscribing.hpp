// How a subscription or an inbox comes to be: its options are checked, its topics found or made, its cursors attached.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>

#include <bus/options.hpp>
#include <bus/topic_kind.hpp>

namespace actorbus::core {

class bus_core;
class inbox_core;
class registry;
class sink;
class subscriber;
class topic_core;

/// Finds or makes a topic; the caller owns a handle on it.
std::shared_ptr<topic_core> open_topic(const std::shared_ptr<bus_core>& bus, std::string_view name,
                                       const topic_kind& kind, const topic_options* options);
/// The same for request names, a space of their own.
std::shared_ptr<topic_core> open_request(const std::shared_ptr<bus_core>& bus, std::string_view name,
                                         const topic_kind& kind);

std::shared_ptr<subscriber> subscribe(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                      const topic_kind& kind, subscribe_options options, std::unique_ptr<sink> to,
                                      bool is_request = false);

std::shared_ptr<subscriber> observe(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                    std::unique_ptr<sink> to);

std::shared_ptr<inbox_core> open_inbox(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                       const topic_kind& kind, inbox_options options);

}  // namespace actorbus::core
