#include <bus/in_handler.hpp>

#include <string>

#include <bus/errors.hpp>
#include <bus/lane.hpp>

namespace actorbus::core {

namespace {

thread_local int depth = 0;
thread_local lane_set* handler_lanes = nullptr;

lane_set& lanes_of_this_thread() {
  thread_local lane_set lanes;
  return lanes;
}

}  // namespace

lane_set::~lane_set() {
  for (auto& [id, each] : lanes_) {
    if (each) each->leave();
  }
}

std::shared_ptr<lane>& lane_set::at(std::uint64_t topic_id) {
  if (last_ != nullptr && last_id_ == topic_id) return *last_;
  if (lanes_.size() >= sweep_at_) forget_sealed();
  last_ = &lanes_[topic_id];  // values of an unordered_map stay where they are
  last_id_ = topic_id;
  return *last_;
}

void lane_set::forget_sealed() {
  std::erase_if(lanes_, [](const auto& each) { return !each.second || each.second->is_sealed(); });
  sweep_at_ = lanes_.size() * 2 + 64;
}

lane_set& lane_set::current() { return handler_lanes != nullptr ? *handler_lanes : lanes_of_this_thread(); }

handler_scope::handler_scope(lane_set* lanes) : outer_(handler_lanes) {
  ++depth;
  if (lanes != nullptr) handler_lanes = lanes;
}

handler_scope::~handler_scope() {
  --depth;
  handler_lanes = outer_;
}

bool in_handler() { return depth > 0; }

void require_outside_handler(const char* what) {
  if (in_handler())
    throw bus_error(errc::in_handler, std::string(what) + " waits for handlers, so it cannot be called from one");
}

}  // namespace actorbus::core
