// The script that adds entries to a stream once and in order, however often they are sent.
#pragma once

#include <string_view>

namespace actorbus::redis {

/// KEYS: the stream, the producer's mark. ARGV: the sequence before the first entry, that of the last, 1 if everything
/// before the first entry was acknowledged, though the server may have forgotten it, how long the mark lives (ms), how
/// long the stream (ms, 0: for ever), the number of trimming words, those; then for each entry its sequence, its number
/// of words, those. Answers the id of the last entry added, an empty text if all had been, or an error that begins with
/// GAP: something before the first entry is missing, `none` if there is no mark at all. Sequences
/// up to 2^53 are exact.
inline constexpr std::string_view append_script = R"lua(
local args, call, tonumber, unpack = ARGV, redis.call, tonumber, unpack
local before = tonumber(args[1])
local mark = call('GET', KEYS[2])
local last = mark and tonumber(mark) or 0
if last < before then
  if args[3] ~= '1' then return redis.error_reply('GAP ' .. (mark or 'none')) end
  last = before
end
local words = {'XADD', KEYS[1]}
local trimming = tonumber(args[6])
for i = 1, trimming do words[2 + i] = args[6 + i] end
words[3 + trimming] = '*'
local first = 4 + trimming
local at = 7 + trimming
local id = ''
while args[at] do
  local count = tonumber(args[at + 1])
  if tonumber(args[at]) > last then
    for i = 1, count do words[first + i - 1] = args[at + 1 + i] end
    id = call(unpack(words, 1, first + count - 1))
  end
  at = at + 2 + count
end
if tonumber(args[2]) > last then call('SET', KEYS[2], args[2], 'PX', args[4]) end
if args[5] ~= '0' then call('PEXPIRE', KEYS[1], args[5]) end
return id
)lua";

}  // namespace actorbus::redis
