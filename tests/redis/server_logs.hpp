// What the servers of the running test case logged, kept until one knows whether it failed.
//
// Threads: any.
#pragma once

#include <string>
#include <vector>

namespace actorbus::testing {

/// Keeps the end of `text`, and forgets the oldest log when there are many.
void keep_server_log(const std::string& name, const std::string& text);

/// What was kept, the oldest first. Nothing is kept afterwards.
std::vector<std::string> take_server_logs();

}  // namespace actorbus::testing
