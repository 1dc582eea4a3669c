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
local before = tonumber(ARGV[1])
local mark = redis.call('GET', KEYS[2])
local last = mark and tonumber(mark) or 0
if last < before then
  if ARGV[3] ~= '1' then return redis.error_reply('GAP ' .. (mark or 'none')) end
  last = before
end
local words = {'XADD', KEYS[1]}
local trimming = tonumber(ARGV[6])
for i = 1, trimming do words[2 + i] = ARGV[6 + i] end
words[3 + trimming] = '*'
local first = 4 + trimming
local at = 7 + trimming
local id = ''
while ARGV[at] do
  local count = tonumber(ARGV[at + 1])
  if tonumber(ARGV[at]) > last then
    for i = 1, count do words[first + i - 1] = ARGV[at + 1 + i] end
    for i = #words, first + count, -1 do words[i] = nil end
    id = redis.call(unpack(words))
  end
  at = at + 2 + count
end
if tonumber(ARGV[2]) > last then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4]) end
if ARGV[5] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return id
)lua";

}  // namespace actorbus::redis
