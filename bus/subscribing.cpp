#include <bus/subscribing.hpp>

#include <bus/bus_core.hpp>
#include <bus/errors.hpp>
#include <bus/group.hpp>
#include <bus/group_member.hpp>
#include <bus/inbox_core.hpp>
#include <bus/names.hpp>
#include <bus/subscriber.hpp>
#include <bus/topic_core.hpp>
#include <bus/type_name.hpp>

namespace actorbus::core {

namespace {

/// What a dead-letter topic that nobody configured keeps for redrive.
const topic_options dead_letter_defaults{.history = 1024};

[[noreturn]] void refuse(errc why, std::string_view pattern, const std::string& what) {
  throw bus_error(why, "subscribe to '" + std::string(pattern) + "': " + what);
}

/// A handle on a topic for as long as a call needs it.
class borrowed_topic {
 public:
  explicit borrowed_topic(std::shared_ptr<topic_core> topic) : topic_(std::move(topic)) {}
  ~borrowed_topic() { topic_->drop_handle(); }
  borrowed_topic(const borrowed_topic&) = delete;
  borrowed_topic& operator=(const borrowed_topic&) = delete;
  const std::shared_ptr<topic_core>& get() const { return topic_; }

 private:
  const std::shared_ptr<topic_core> topic_;
};

void require_reached(const replay& from, std::string_view pattern, const topic_core& topic) {
  if (from.kind() != replay_kind::after || from.sequence() < topic.log().end()) return;
  refuse(errc::invalid_argument, pattern,
         "replay::after(" + std::to_string(from.sequence()) + ") names a sequence not yet reached; the newest is " +
             std::to_string(topic.log().end() - 1));
}

void require_fit(std::string_view pattern, const replay& from) {
  require_pattern(pattern);
  if (from.kind() == replay_kind::after && !is_literal(pattern)) {
    refuse(errc::invalid_argument, pattern, "replay::after names one topic's sequence, a pattern covers many");
  }
}

void require_fit(std::string_view pattern, const subscribe_options& options, const topic_kind& kind) {
  require_fit(pattern, options.from);
  if (!options.group.empty() && options.run_on == run_on::topic) {
    refuse(errc::invalid_argument, pattern, "members of a group run side by side; run_on::topic cannot");
  }
  if (options.key && options.group.empty())
    refuse(errc::invalid_argument, pattern, "a key shares events within a group; name one");
  if (options.key.value_type() && *options.key.value_type() != kind.payload.type) {
    refuse(errc::type_mismatch, pattern,
           "the key reads " + type_name(*options.key.value_type()) + ", the topic carries " +
               type_name(kind.payload.type));
  }
}

reader::settings settings_of(std::string_view pattern, const subscribe_options& o) {
  return {o.name, std::string(pattern), o.from, o.overflow, o.capacity, o.where};
}

subscriber::conduct conduct_of(const std::shared_ptr<bus_core>& bus, const topic_kind& kind,
                               const subscribe_options& o) {
  subscriber::conduct how{o.run_on, o.on_error, o.owner, nullptr};
  if (o.on_error.finally() == on_error::outcome::dead_letter) {
    auto into = open_topic(bus, o.on_error.dead_letter_topic(), kind, nullptr);
    into->configure_by_default(dead_letter_defaults);
    how.dead_letters = kind.dead_letters(std::move(into));
  }
  return how;
}

/// Registers a reader and gives it its cursors.
void begin(const std::shared_ptr<bus_core>& bus, const std::shared_ptr<reader>& who, const topic_kind* kind,
           bool is_request) {
  const std::string& pattern = who->set().pattern;
  bus->add_reader(who);
  try {
    if (who->is_literal() && kind != nullptr) {
      const borrowed_topic topic(is_request ? open_request(bus, pattern, *kind)
                                            : open_topic(bus, pattern, *kind, nullptr));
      require_reached(who->set().from, pattern, *topic.get());
      auto fresh = who->add_cursor(topic.get());
      topic.get()->attach(std::move(fresh));
    } else {
      bus->topics().cover(who, kind != nullptr ? std::optional<std::type_index>(kind->payload.type) : std::nullopt);
    }
  } catch (...) {
    handler_scope never_waits;
    who->end(finish_reason::closed);
    bus->forget(*who);
    throw;
  }
}

std::shared_ptr<subscriber> join_group(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                       const topic_kind& kind, const subscribe_options& o, std::unique_ptr<sink> to,
                                       bool is_request) {
  auto how = conduct_of(bus, kind, o);
  std::shared_ptr<group_member> member;
  auto make = [&] {
    auto its = conduct_of(bus, kind, o);  // for a `where` or a key that throws: as its first member's handler
    its.run_on = run_on::pool;
    its.owner.reset();
    auto fresh = std::make_shared<group>(bus, settings_of(pattern, o), std::move(its), o.group, o.key, kind.value_of);
    fresh->start();
    return fresh;
  };
  auto join = [&](group& it, bool is_new) {
    const auto& set = it.set();
    if (set.from != o.from || set.overflow != o.overflow || set.capacity != o.capacity ||
        static_cast<bool>(set.where) != static_cast<bool>(o.where) || it.is_keyed() != static_cast<bool>(o.key)) {
      throw bus_error(errc::options_mismatch,
                      "group '" + o.group + "' on '" + std::string(pattern) +
                          "': from, overflow, capacity, where and key belong to the group; this member's differ");
    }
    auto self = std::static_pointer_cast<group>(it.shared_from_this());
    reader::settings mine{o.name, std::string(pattern), replay::live(), o.overflow, o.capacity, {}};
    member = std::make_shared<group_member>(self, std::move(mine), std::move(how), std::move(to));
    member->start();
    it.join(member);
    if (is_new) begin(bus, self, &kind, is_request);
  };
  const std::string id =
      std::string(is_request ? "?" : "") + std::string(pattern) + ' ' + o.group + ' ' + type_name(kind.payload.type);
  bus->join_group(id, make, join);
  return member;
}

std::shared_ptr<topic_core> open_in(registry& where, const std::shared_ptr<bus_core>& bus, std::string_view name,
                                    const topic_kind& kind, const topic_options* options) {
  return where.open(name, kind.payload, options, [&](std::uint64_t first) {
    auto fresh = kind.make(bus, std::string(name), first);
    if (bus->is_closing()) fresh->set_gate(topic_core::gate::draining);
    return fresh;
  });
}

}  // namespace

std::shared_ptr<topic_core> open_topic(const std::shared_ptr<bus_core>& bus, std::string_view name,
                                       const topic_kind& kind, const topic_options* options) {
  return open_in(bus->topics(), bus, name, kind, options);
}

std::shared_ptr<topic_core> open_request(const std::shared_ptr<bus_core>& bus, std::string_view name,
                                         const topic_kind& kind) {
  return open_in(bus->requests(), bus, name, kind, nullptr);
}

std::shared_ptr<subscriber> subscribe(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                      const topic_kind& kind, subscribe_options options, std::unique_ptr<sink> to,
                                      bool is_request) {
  require_fit(pattern, options, kind);
  bus->require_open("subscribe");
  if (!options.group.empty()) return join_group(bus, pattern, kind, options, std::move(to), is_request);
  auto fresh =
      std::make_shared<subscriber>(bus, settings_of(pattern, options), conduct_of(bus, kind, options), std::move(to));
  fresh->start();
  begin(bus, fresh, &kind, is_request);
  return fresh;
}

std::shared_ptr<subscriber> observe(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                    std::unique_ptr<sink> to) {
  require_pattern(pattern);
  bus->require_open("observe");
  reader::settings settings{"", std::string(pattern), replay::live(), overflow::block, 0, {}};
  auto fresh = std::make_shared<subscriber>(bus, std::move(settings), subscriber::conduct{}, std::move(to));
  fresh->start();
  begin(bus, fresh, nullptr, false);
  return fresh;
}

std::shared_ptr<inbox_core> open_inbox(const std::shared_ptr<bus_core>& bus, std::string_view pattern,
                                       const topic_kind& kind, inbox_options o) {
  require_fit(pattern, o.from);
  bus->require_open("inbox");
  auto fresh = std::make_shared<inbox_core>(
      bus, reader::settings{o.name, std::string(pattern), o.from, o.overflow, o.capacity, std::move(o.where)});
  begin(bus, fresh, &kind, false);
  return fresh;
}

}  // namespace actorbus::core
