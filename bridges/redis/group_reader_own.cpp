// How a consumer's reader takes up again what was delivered before to this name.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/group_reader.hpp>

#include <algorithm>

#include <bridges/redis/command.hpp>
#include <bridges/redis/group_consumer.hpp>
#include <bridges/redis/group_scripts.hpp>

namespace actorbus::redis {

namespace {

/// Of one step.
constexpr std::size_t most_own = 100;

}  // namespace

/// What the server says is pending here, and is not in hand, was delivered to this name before.
void group_reader::ask_own(std::size_t room) {
  own_asked_ = std::min(room, most_own);
  const auto& names = to_.names();
  const std::string from = own_ == stream_id{} ? "-" : own_.next().to_string();
  append_command(connection_->out(),
                 {"XPENDING", names.key, names.group, from, "+", std::to_string(own_asked_), names.consumer});
  ask(question::own);
}

void group_reader::found_own(const reply& what) {
  const std::size_t asked = std::exchange(own_asked_, 0);
  if (is_group_missing(what)) return;
  if (!what.is_array()) return later(std::string(what.text));
  std::vector<std::string_view> fresh;
  for (const reply& each : what.elements) {
    const auto id = each.elements.empty() ? std::nullopt : stream_id::parse(each.elements[0].text);
    if (!id) continue;
    own_ = *id;
    if (!to_.holds(*id)) fresh.push_back(each.elements[0].text);
  }
  has_own_ = what.elements.size() < asked;
  if (has_own_) to_.claim_soon();
  if (fresh.empty()) return pump();
  own_asked_ = fresh.size();
  const auto& names = to_.names();
  command_writer out(connection_->out());
  out.begin(7 + fresh.size()).word("EVAL").word(claim_script).word("1").word(names.key).word(names.group);
  out.word(names.consumer);
  out.word("own");
  for (const auto each : fresh) out.word(each);
  ask(question::claim);
}

void group_reader::claimed_own(const reply& what, connection& by) {
  own_asked_ = 0;
  if (is_group_missing(what)) return;
  if (!what.is_array()) {
    has_own_ = false;
    own_ = {};
    return later(std::string(what.text));
  }
  to_.take_claimed(what, by.take_memory());
  pump();
}

}  // namespace actorbus::redis
