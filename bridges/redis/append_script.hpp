// The script that adds entries to a stream once and in order, however often they are sent.
#pragma once

#include <string_view>

namespace actorbus::redis {

/// KEYS: the stream, the producer's mark, and, where the id of the last entry is wanted, a hash that keeps it until the
/// producer has it. ARGV: the sequence before the first entry, that of the last, 1 if everything before the first entry
/// was acknowledged, though the server may have forgotten it, how long the mark lives (ms), how long the stream (ms, 0:
/// for ever), the number of trimming words, those; then for each run of entries with the same names: how many fields
/// each has, how many entries there are, the names, and the values of each entry. Answers the id of the last entry;
/// if all had been added before, as the hash has it, or an empty text; or an error that begins with GAP: something
/// before the first entry is missing, `none` if there is no mark at all. Sequences up to 2^53 are exact. A call adds
/// all or nothing, so its mark stands before or behind it: it is set first, where the server may still refuse, and set
/// back if nothing was added. Behind the entries nothing fails the call any more. Words are what costs time in Lua:
/// names go once, and entries of three fields, as `native` has them, have a loop of their own, which trims with the
/// last.
inline constexpr std::string_view append_script = R"lua(
local args, call, tonumber, unpack = ARGV, redis.call, tonumber, unpack
local before = tonumber(args[1])
local mark = call('GET', KEYS[2])
local done = mark and tonumber(mark) or 0
if done < before and args[3] ~= '1' then return redis.error_reply('GAP ' .. (mark or 'none')) end
local ids = KEYS[3]
if done >= tonumber(args[2]) then
  local known = ids and redis.pcall('HGET', ids, args[2])
  return type(known) == 'string' and known or ''
end
call('SET', KEYS[2], args[2], 'PX', args[4])
local words = {'XADD', KEYS[1]}
local trimming = tonumber(args[6])
for i = 1, trimming do words[2 + i] = args[6 + i] end
words[3 + trimming] = '*'
local first = 4 + trimming
local at = 7 + trimming
local function add()
  local id
  while args[at] do
    local fields, entries = tonumber(args[at]), tonumber(args[at + 1])
    at = at + 2
    local key, one, two, three = KEYS[1], unpack(args, at, at + 2)
    for i = 0, fields - 1 do words[first + 2 * i] = args[at + i] end
    at = at + fields
    if fields == 3 then
      while entries > 1 do
        call('XADD', key, '*', one, args[at], two, args[at + 1], three, args[at + 2])
        at, entries = at + 3, entries - 1
      end
    end
    for _ = 1, entries do
      for i = 0, fields - 1 do words[first + 1 + 2 * i] = args[at + i] end
      id = call(unpack(words, 1, first + 2 * fields - 1))
      at = at + fields
    end
  end
  return id
end
local added, id = pcall(add)
if not added then
  if mark or type(redis.pcall('DEL', KEYS[2])) == 'table' then call('SET', KEYS[2], mark or '0', 'PX', args[4]) end
  error(id, 0)
end
if args[5] ~= '0' then redis.pcall('PEXPIRE', KEYS[1], args[5]) end
if ids then
  redis.pcall('HSET', ids, args[2], id)
  redis.pcall('PEXPIRE', ids, args[4])
end
return id
)lua";

}  // namespace actorbus::redis
