// How a consumer takes over what others left behind.
#include <utility>  // Boost 1.74's awaitable.hpp forgets it

#include <algorithm>

#include <bridges/redis/command.hpp>
#include <bridges/redis/expect_once.hpp>
#include <bridges/redis/group_consumer.hpp>

namespace actorbus::redis {

namespace {

/// Answers that take longer come of a server that stood still, if that is also long before claims.
constexpr std::chrono::nanoseconds stood_still{std::chrono::milliseconds{100}};

constexpr std::size_t most_claimed = 100;

}  // namespace

void group_consumer::claim_soon() {
  claim_at_ = {};
  arm();
}

void group_consumer::hold_claims() { claim_not_before_ = clock::now() + with_.claim_after; }

/// A server that stood still let entries age, and what says that they live may still stand behind our question.
void group_consumer::answered(clock::time_point asked) {
  if (clock::now() - asked >= std::max(with_.claim_after / 3, stood_still)) hold_claims();
}

void group_consumer::claim() {
  const auto now = clock::now();
  if (!claim_due_ || reserved_ != 0 || now < claim_not_before_ || !reader_.has_own() || !core_.has_commands()) return;
  const std::size_t room = wants();
  const std::size_t asked_for = reader_.requested();
  if (room <= asked_for || (asked_for != 0 && room - asked_for < half())) return;  // a read is over soon
  claim_due_ = false;
  reserved_ = std::min(room - asked_for, most_claimed);
  command_writer out(core_.commands().out());
  out.begin(8).word("XPENDING").word(names_.key).word(names_.group).word("IDLE").word(claim_after_);
  out.word("-").word("+").number(static_cast<std::int64_t>(reserved_));
  expect_once(core_.commands(), [weak = weak_from_this(), now](const reply* what) {
    const auto self = weak.lock();
    if (!self || self->ended_) return;
    const std::size_t looked_for = std::exchange(self->reserved_, 0);
    if (what != nullptr) self->answered(now);
    self->found_idle(what, looked_for);
    if (self->reserved_ == 0) self->reader_.pump();
    self->look_at_end();
  });
}

void group_consumer::found_idle(const reply* what, std::size_t asked) {
  if (what == nullptr || finishing_) return;
  if (what->is_error() && what->error_code() != "NOGROUP") {  // without a group: its reader makes it
    core_.warn("no claims",
               "cannot look for what others of group '" + names_.group + "' left behind: " + std::string(what->text));
  }
  if (!what->is_array() || !core_.has_commands() || clock::now() < claim_not_before_) return;
  std::vector<std::string> ids;
  std::uint64_t of_others = 0;
  for (const reply& each : what->elements) {
    const auto id = each.elements.size() < 4 ? std::nullopt : stream_id::parse(each.elements[0].text);
    if (!id || ledger_.holds(*id)) continue;
    ids.emplace_back(each.elements[0].text);
    if (each.elements[1].text != names_.consumer) ++of_others;
  }
  if (ids.empty()) return;
  const bool may_be_more = what->elements.size() >= asked;
  reserved_ = ids.size();
  claim_those(ids, claim_after_, [this, of_others, may_be_more](const reply* got) {
    reserved_ = 0;
    if (got != nullptr && got->is_array()) {
      const auto there = take_claimed(*got, core_.commands().take_memory());
      core_.counts.claimed += std::min<std::uint64_t>(of_others, there);
      if (may_be_more && !got->elements.empty()) claim_due_ = true;
    }
    reader_.pump();
    look_at_end();
  });
}

}  // namespace actorbus::redis
