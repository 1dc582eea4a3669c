#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <bridges/redis/group_burial.hpp>

#include <algorithm>

#include <bridges/redis/command.hpp>
#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/group_scripts.hpp>

namespace actorbus::redis {

namespace {

/// What an exception says has no end by itself.
constexpr std::size_t longest_error = 4096;

}  // namespace

void group_burial::add(stream_id id, std::uint64_t attempts, std::string_view error,
                       std::span<const std::string_view> entry) {
  const std::string text = id.to_string();
  const dead_letter_about about{
      names_.topic, names_.key, text, names_.group, names_.consumer, attempts, error.substr(0, longest_error)};
  const auto [at, fresh] = letters_.insert_or_assign(id, letter{write_dead_letter(about, entry)});
  if (core_.has_commands()) send(id, at->second);
}

void group_burial::send(stream_id id, letter& what) {
  what.is_refused = false;
  const auto& words = what.words;
  command_writer out(core_.commands().out());
  out.begin(8 + words.size()).word("EVAL").word(bury_script).word("2").word(names_.key).word(names_.dead_key);
  out.word(names_.group).word(names_.consumer).word(id.to_string());
  for (const auto& each : words) out.word(each);
  expect_once(core_.commands(), [this, id, alive = std::weak_ptr(alive_)](const reply* answer) {
    if (!alive.expired()) answered(id, answer);
  });
}

void group_burial::answered(stream_id id, const reply* what) {
  if (what == nullptr) return;  // sent again on the next connection
  const bool is_gone = what->text.find("NOGROUP") != std::string_view::npos;
  if (what->is_error() && !is_gone) {
    if (const auto found = letters_.find(id); found != letters_.end()) found->second.is_refused = true;
    tries_ = false;
    return core_.warn("no dead letter", "entry " + id.to_string() + " of '" + names_.key + "' cannot go to '" +
                                            names_.dead_key + "', and stays pending: " + std::string(what->text));
  }
  if (what->integer > 0) ++core_.counts.dead_letters;
  letters_.erase(id);
  if (std::exchange(tries_, false)) {
    for (auto& [other, each] : letters_) {
      if (each.is_refused) send(other, each);
    }
  }
  buried_(id);
}

void group_burial::send_again() {
  tries_ = false;
  for (auto& [id, each] : letters_) send(id, each);
}

void group_burial::try_refused() {
  const auto is_refused = [](const auto& each) { return each.second.is_refused; };
  auto refused = std::find_if(letters_.upper_bound(tried_), letters_.end(), is_refused);
  if (refused == letters_.end()) refused = std::find_if(letters_.begin(), letters_.end(), is_refused);
  if (refused == letters_.end() || std::exchange(tries_, true)) return;
  tried_ = refused->first;
  send(refused->first, refused->second);
}

}  // namespace actorbus::redis
