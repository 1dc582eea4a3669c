// How dead letters go back to the streams they came from.
#include <utility>

#include <bridges/redis/bridge.hpp>
#include <bridges/redis/bridge_core.hpp>
#include <bridges/redis/command.hpp>
#include <bridges/redis/dead_letter_fields.hpp>
#include <bridges/redis/group_scripts.hpp>
#include <bus/errors.hpp>
#include <bus/in_handler.hpp>
#include <bus/names.hpp>

namespace actorbus::redis {

namespace {

struct letter {
  std::string id, stream;
  std::vector<std::string> entry;  ///< of one with more words than a script can hand on
};

class redriving {
 public:
  redriving(bridge_core& of, std::string key, std::string what)
      : core_(of), dead_(std::move(key)), what_(std::move(what)) {}

  std::size_t run() {
    std::size_t count = 0;
    const std::string newest = newest_id();
    for (std::string from = "-"; !newest.empty();) {
      const auto found = page(from, newest);
      if (found->last.empty()) break;
      for (const auto& each : found->letters) count += each.entry.empty() ? move(each) : move_large(each);
      if (found->last == newest) break;
      from = stream_id::parse(found->last).value_or(stream_id::max()).next().to_string();
    }
    return count;
  }

 private:
  struct letters_read {
    std::vector<letter> letters;
    std::string last;  ///< the id of the last entry, be it a letter or not; empty: there was none
  };
  using commands = std::vector<std::vector<std::string>>;

  /// What `take` writes to is shared with it: an answer may come too late.
  void ask(commands all, const std::function<void(const reply&)>& take) {
    const std::size_t count = all.size();
    const auto write = [all = std::move(all)](std::string& to) {
      for (const auto& words : all) {
        command_writer out(to);
        out.begin(words.size());
        for (const auto& each : words) out.word(each);
      }
    };
    core_.ask(what_, bridge_core::asked_by::pool, write, take, count);
  }

  std::string newest_id() {
    const auto newest = std::make_shared<std::string>();
    ask({{"XREVRANGE", dead_, "+", "-", "COUNT", "1"}}, [newest](const reply& found) {
      if (!found.elements.empty() && !found.elements[0].elements.empty()) *newest = found.elements[0].elements[0].text;
    });
    return *newest;
  }

  std::shared_ptr<letters_read> page(const std::string& from, const std::string& to) {
    auto result = std::make_shared<letters_read>();
    ask({{"XRANGE", dead_, from, to, "COUNT", "100"}}, [result](const reply& found) {
      for (const reply& each : found.elements) {
        if (each.elements.size() < 2) continue;
        result->last = each.elements[0].text;
        std::vector<field_view> fields;
        const auto& words = each.elements[1].elements;
        for (std::size_t i = 0; i + 1 < words.size(); i += 2) fields.push_back({words[i].text, words[i + 1].text});
        if (auto entry = read_large_letter(fields)) {
          result->letters.push_back({result->last, std::string(fields[1].value), std::move(*entry)});
        } else if (is_dead_letter(fields)) {
          result->letters.push_back({result->last, std::string(fields[1].value), {}});
        }
      }
    });
    return result;
  }

  std::size_t move(const letter& which) {
    const auto moved = std::make_shared<std::size_t>(0);
    ask({{"EVAL", std::string(redrive_script), "2", dead_, which.stream, which.id,
          std::to_string(2 * dead_letter_names.size())}},
        [moved](const reply& done) { *moved = static_cast<std::size_t>(done.integer); });
    return *moved;
  }

  /// No script can hand on its words, so that they are sent: in a transaction with what deletes the letter. What may
  /// not be deleted is refused before anything is done, by an id that there is not.
  std::size_t move_large(const letter& which) {
    std::vector<std::string> add{"XADD", which.stream, "*"};
    add.insert(add.end(), which.entry.begin(), which.entry.end());
    const auto moved = std::make_shared<std::size_t>(0);
    ask({{"MULTI"},
         {"XDEL", dead_, "0-0"},
         std::move(add),
         {"EVAL", std::string(redriven_script), "2", dead_, which.stream, which.id},
         {"EXEC"}},
        [moved, what = what_](const reply& done) {
          for (const reply& part : done.elements) {
            if (part.is_error()) throw bus_error(errc::refused_by_server, what + ": " + std::string(part.text));
          }
          if (!done.elements.empty()) *moved = static_cast<std::size_t>(done.elements.back().integer);
        });
    return *moved;
  }

  bridge_core& core_;
  const std::string dead_, what_;
};

}  // namespace

std::size_t bridge::redrive(std::string_view dead_letter_topic, redis::format as) {
  core::require_outside_handler("bridge::redrive");
  require_topic_name(dead_letter_topic);
  const wire_format& names = wire_format_of(as, as == format::fields ? payload_shape::fields : payload_shape::bytes);
  return redriving(*core_, names.stream_key(core_->options().prefix, dead_letter_topic),
                   "redrive of '" + std::string(dead_letter_topic) + "'")
      .run();
}

}  // namespace actorbus::redis
