// What a consumer of a group has the server do in one step, so that nobody comes in between: scripts for EVAL.
//
// KEYS[1] is the stream, ARGV[1] the group and ARGV[2] the consumer, unless said otherwise.
#pragma once

#include <string_view>

namespace actorbus::redis {

/// Claims entries, ids behind ARGV[3]: those that are the consumer's if that is `own`, else those that are idle for so
/// many milliseconds. Answers for each that it got its id, how often it was delivered by now, and its fields; for each
/// that is not in the stream any more, and so is nobody's from now on, its id, 0, and nothing.
inline constexpr std::string_view claim_script = R"lua(
local got = {}
local idle = tonumber(ARGV[3])
for i = 4, #ARGV do
  local known = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if known and ((idle and known[3] >= idle) or (not idle and known[2] == ARGV[2])) then
    local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i])[1]
    if not entry then redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) end
    got[#got + 1] = ARGV[i]
    got[#got + 1] = entry and known[4] + 1 or 0
    got[#got + 1] = entry and entry[2] or {}
  end
end
return got
)lua";

/// Makes entries of the consumer idle for ARGV[3] milliseconds, without counting a delivery; then ids, ascending. 0
/// keeps them from being claimed, a long time hands them on. Those that are not in the stream any more, trimmed or
/// deleted, it does not touch: the server would strike them off, and nobody would know of them. Answers those that are
/// another's by now, or acknowledged by one; not those that were struck off, which nobody else can handle.
inline constexpr std::string_view idle_script = R"lua(
local gone = {}
for i = 4, #ARGV do
  local is_there = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  if redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1] then
    if is_there then redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'IDLE', ARGV[3], 'JUSTID') end
  elseif is_there or redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1] then
    gone[#gone + 1] = ARGV[i]
  end
end
return gone
)lua";

/// Puts an entry of the consumer, ARGV[3], to the dead letters, the stream KEYS[2], as the fields that follow. Added
/// first and then acknowledged: where the server refuses the one, it does not do the other, and where it refuses the
/// other, it undoes the one. Answers how many: 0 if the entry is another's. One that is nobody's, and not in the stream
/// any more, was struck off by who could not take it up: only this consumer has it.
inline constexpr std::string_view bury_script = R"lua(
if not redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])[1] then
  if redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)[1] then return 0 end
  if redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1] then return 0 end
  redis.call('XADD', KEYS[2], '*', unpack(ARGV, 4))
  return 1
end
local letter = redis.call('XADD', KEYS[2], '*', unpack(ARGV, 4))
local done = redis.pcall('XACK', KEYS[1], ARGV[1], ARGV[3])
if type(done) == 'table' then redis.call('XDEL', KEYS[2], letter) end
return done
)lua";

/// Puts the dead letter ARGV[1] of KEYS[1] back to KEYS[2], without its first ARGV[2] words. Answers how many. What it
/// may not delete it does not add: that is found out first, by an id that there is not.
inline constexpr std::string_view redrive_script = R"lua(
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then return 0 end
redis.call('XDEL', KEYS[1], '0-0')
redis.call('XADD', KEYS[2], '*', unpack(letter[2], tonumber(ARGV[2]) + 1))
return redis.call('XDEL', KEYS[1], ARGV[1])
)lua";

/// Behind an XADD to KEYS[2] in one transaction: deletes the dead letter ARGV[1] of KEYS[1] whose entry that was. If
/// somebody else has put it back, the entry is taken out again. Fails if KEYS[2] is no stream, so that nothing was
/// added. Answers how many.
inline constexpr std::string_view redriven_script = R"lua(
local added = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if redis.call('XDEL', KEYS[1], ARGV[1]) == 1 then return 1 end
redis.call('XDEL', KEYS[2], added[1])
return 0
)lua";

/// Deletes consumers other than ARGV[2] that were silent for ARGV[3] milliseconds and have nothing pending.
inline constexpr std::string_view forget_script = R"lua(
for _, each in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local about = {}
  for i = 1, #each, 2 do about[each[i]] = each[i + 1] end
  if about.name ~= ARGV[2] and about.pending == 0 and about.idle >= tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
  end
end
return 0
)lua";

/// Deletes the consumer, unless something is pending for it.
inline constexpr std::string_view leave_script = R"lua(
if redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])[1] then return 0 end
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
)lua";

}  // namespace actorbus::redis
