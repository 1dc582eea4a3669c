// The name of a type as a person writes it, for messages and snapshots.
//
// Threads: any.
#pragma once

#include <string>
#include <typeindex>
#include <typeinfo>

namespace actorbus {

/// As "robot::pose" or "std::string"; the compiler's own spelling where it cannot be read.
std::string type_name(const std::type_info& type);
std::string type_name(std::type_index type);

}  // namespace actorbus
