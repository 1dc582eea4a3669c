#include <bridges/redis/subscription_set.hpp>

#include <bridges/redis/command.hpp>

namespace actorbus::redis {

template <class Change>
void subscription_set::change(std::map<key, standing>::iterator at, Change how) {
  news_ -= is_news(at->second);
  unsettled_ -= is_unsettled(at->second);
  how(at->second);
  news_ += is_news(at->second);
  unsettled_ += is_unsettled(at->second);
  if (at->second.uses == 0 && !at->second.asked) wanted_.erase(at);
}

void subscription_set::want(kind what, const std::string& name) {
  const auto at = wanted_.try_emplace({what, name}).first;
  change(at, [](standing& s) { ++s.uses; });
}

void subscription_set::drop(kind what, const std::string& name) {
  const auto at = wanted_.find({what, name});
  if (at == wanted_.end() || at->second.uses == 0) return;
  change(at, [](standing& s) { --s.uses; });
}

void subscription_set::reset() {
  awaited_.clear();
  for (auto at = wanted_.begin(); at != wanted_.end();) {
    const auto now = at++;  // change may erase it
    change(now, [](standing& s) { s.asked = s.answered = s.refused = false; });
  }
}

std::size_t subscription_set::ask(std::string& to) {
  std::size_t asked = 0;
  for (auto at = wanted_.begin(); news_ != 0 && at != wanted_.end();) {
    const auto now = at++;
    if (!is_news(now->second)) continue;
    const bool in = now->second.uses != 0;
    const auto& [what, name] = now->first;
    const bool is_channel = what == kind::channel;
    append_command(to, {is_channel ? (in ? "SUBSCRIBE" : "UNSUBSCRIBE") : (in ? "PSUBSCRIBE" : "PUNSUBSCRIBE"), name});
    awaited_.emplace_back(now->first, in);
    change(now, [in](standing& s) {
      s.asked = in;
      s.answered = false;
    });
    ++asked;
  }
  return asked;
}

void subscription_set::answered(bool refused) {
  const auto [which, in] = std::move(awaited_.front());
  awaited_.pop_front();
  const auto at = wanted_.find(which);
  if (at == wanted_.end() || at->second.asked != in) return;
  // Asked for, given up and asked for again: only the last answer counts.
  for (const auto& each : awaited_) {
    if (each.first == which) return;
  }
  change(at, [refused](standing& s) {
    s.answered = true;
    s.refused = refused;
  });
}

bool subscription_set::confirmed(std::string_view verb, std::string_view name) {
  if (awaited_.empty()) return false;
  const bool is_pattern = !verb.empty() && verb.front() == 'p';
  if (is_pattern) verb.remove_prefix(1);
  const auto& [which, in] = awaited_.front();
  if (verb != (in ? "subscribe" : "unsubscribe") || which.second != name) return false;
  if ((which.first == kind::pattern) != is_pattern) return false;
  answered(false);
  return true;
}

std::optional<subscription_set::key> subscription_set::refused() {
  if (awaited_.empty()) return std::nullopt;
  key which = awaited_.front().first;
  answered(true);
  return which;
}

subscription_set::answer subscription_set::answer_to(const key& which) const {
  const auto found = wanted_.find(which);
  if (found == wanted_.end() || found->second.uses == 0 || is_unsettled(found->second)) return answer::awaited;
  return found->second.refused ? answer::refused : answer::subscribed;
}

}  // namespace actorbus::redis
