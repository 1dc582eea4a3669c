#include <bus/registry.hpp>

#include <algorithm>

#include <bus/errors.hpp>
#include <bus/names.hpp>
#include <bus/reader.hpp>
#include <bus/topic_core.hpp>
#include <bus/type_name.hpp>

namespace actorbus::core {

std::shared_ptr<topic_core> registry::open(std::string_view name, const payload_type& type,
                                           const topic_options* options, const factory& make) {
  require_topic_name(name);
  std::lock_guard lock(mutex_);
  if (closed_) throw bus_error(errc::closed, "topic '" + std::string(name) + "': the bus is closed");
  if (const auto known = topics_.find(name); known != topics_.end()) {
    topic_core& topic = *known->second;
    if (topic.type() != type.type) {
      throw bus_error(errc::type_mismatch, "topic '" + std::string(name) + "' carries " + type_name(topic.type()) +
                                               "; it cannot also carry " + type_name(type.type));
    }
    if (options != nullptr) topic.configure(*options);
    topic.add_handle();
    return known->second;
  }
  auto fresh = make(std::max<std::uint64_t>(1, floor_of(name)));
  if (options != nullptr) fresh->configure(*options);
  topics_.emplace(fresh->name(), fresh);
  patterns_.for_each_match(name, [&](const std::shared_ptr<cover_entry>& each) {
    if (each->type && *each->type != type.type) {
      ++each->skipped;
    } else {
      fresh->attach(each->who->add_cursor(fresh));
    }
  });
  fresh->add_handle();
  return fresh;
}

std::shared_ptr<topic_core> registry::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto known = topics_.find(name);
  return known != topics_.end() ? known->second : nullptr;
}

void registry::cover(std::shared_ptr<reader> who, std::optional<std::type_index> type) {
  const std::string& pattern = who->set().pattern;
  std::vector<std::shared_ptr<cursor>> fresh;
  {
    std::lock_guard lock(mutex_);
    if (closed_) throw bus_error(errc::closed, "subscribe to '" + pattern + "': the bus is closed");
    auto entry = std::make_shared<cover_entry>(cover_entry{who, type});
    patterns_.add(pattern, entry);
    covers_.emplace(who.get(), entry);
    for (const auto& [name, topic] : topics_) {
      if (!matches(pattern, name)) continue;
      if (type && topic->type() != *type) {
        ++entry->skipped;
      } else {
        fresh.push_back(who->add_cursor(topic));
      }
    }
  }
  for (auto& each : fresh) each->topic().attach(each);
}

void registry::uncover(const reader& who) {
  std::shared_ptr<cover_entry> gone;
  std::lock_guard lock(mutex_);
  const auto known = covers_.find(&who);
  if (known == covers_.end()) return;
  gone = known->second;
  patterns_.remove(who.set().pattern, gone);
  covers_.erase(known);
}

bool registry::retire(topic_core& which) {
  std::shared_ptr<topic_core> gone;
  {
    std::lock_guard lock(mutex_);
    const auto known = topics_.find(which.name());
    if (known == topics_.end() || known->second.get() != &which || !which.is_retirable()) return false;
    gone = known->second;
    topics_.erase(known);
    std::uint64_t& floor = floor_of(which.name());
    floor = std::max(floor, which.log().end());
  }
  gone->retire();
  return true;
}

void registry::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

void registry::clear() {
  std::unordered_map<std::string_view, std::shared_ptr<topic_core>> gone;
  std::unordered_map<const reader*, std::shared_ptr<cover_entry>> covers;
  {
    std::lock_guard lock(mutex_);
    gone.swap(topics_);
    covers.swap(covers_);
    patterns_ = {};
  }
}

std::vector<std::shared_ptr<topic_core>> registry::all() const {
  std::vector<std::shared_ptr<topic_core>> topics;
  std::lock_guard lock(mutex_);
  topics.reserve(topics_.size());
  for (const auto& [name, topic] : topics_) topics.push_back(topic);
  return topics;
}

std::size_t registry::size() const {
  std::lock_guard lock(mutex_);
  return topics_.size();
}

std::uint64_t registry::skipped(const reader& who) const {
  std::lock_guard lock(mutex_);
  const auto known = covers_.find(&who);
  return known != covers_.end() ? known->second->skipped : 0;
}

std::uint64_t& registry::floor_of(std::string_view name) {
  return floors_[std::hash<std::string_view>{}(name) % floors_.size()];
}

}  // namespace actorbus::core
