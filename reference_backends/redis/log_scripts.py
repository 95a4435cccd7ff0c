"""What the server does by itself for a log, each script as one step.

A position is given in the step that writes its event, so that there is never a gap that fills in later. The events are
a stream, whose entries are found by position at once, however long the log is; their ids are the positions, and the
stream refuses an id that is not above all that it ever had.
"""

from __future__ import annotations

from reference_backends.redis.command import Script

#: The keys are those of `Place.log_keys`. Numbers are written by `format`: Lua's own text of 10^15 is `1e+15`.
_PRELUDE = """
local events, summary = KEYS[1], KEYS[2]
local head = tonumber(redis.call('HGET', summary, 'head') or 0)
local first = tonumber(redis.call('HGET', summary, 'first') or 1)

local function whole(number)
  return string.format('%.0f', number)
end
"""

#: ARGV: the head that is expected, or an empty text; the events. Returns 'done' or 'conflict', and the head before.
APPEND = Script(
    "append",
    _PRELUDE
    + """
if ARGV[1] ~= '' and ARGV[1] ~= whole(head) then
  return {'conflict', head}
end
for i = 2, #ARGV do
  redis.call('XADD', events, whole(head + i - 1) .. '-0', 'event', ARGV[i])
end
redis.call('HSET', summary, 'head', whole(head + #ARGV - 1))
return {'done', head}
""",
)

#: Returns the head and the first position.
ENDS = Script(
    "ends",
    _PRELUDE
    + """
return {head, first}
""",
)

#: ARGV: a position, the one to stop before, and a number of bytes. Returns the first position left, and the entries
#: from that position on, each as its id and its event, until there are as many bytes.
PAGE = Script(
    "read",
    _PRELUDE
    + """
local page, bytes, at = {}, 0, '(' .. whole(ARGV[1] - 1) .. '-0'
while bytes < tonumber(ARGV[3]) do
  local found = redis.call('XRANGE', events, at, '(' .. ARGV[2] .. '-0', 'COUNT', 1)[1]
  if not found then
    break
  end
  page[#page + 1] = found[1]
  page[#page + 1] = found[2][2]
  bytes, at = bytes + #found[2][2], '(' .. found[1]
end
return {first, page}
""",
)

#: ARGV: a position, and the record of a state. Returns 'done' or 'refused', and from where to where it is possible.
CHECKPOINT = Script(
    "checkpoint",
    _PRELUDE
    + """
local upto = tonumber(ARGV[1])
if upto < first - 1 or upto > head then
  return {'refused', first - 1, head}
end
redis.call('HSET', summary, 'upto', ARGV[1], 'state', ARGV[2])
return {'done', first - 1, head}
""",
)

#: ARGV: a position. Returns 'done' or 'refused', and the position of the latest checkpoint.
COMPACT = Script(
    "compact",
    _PRELUDE
    + """
local upto, covered = tonumber(ARGV[1]), tonumber(redis.call('HGET', summary, 'upto') or 0)
if upto > covered then
  return {'refused', covered}
end
if upto >= first then
  redis.call('XTRIM', events, 'MINID', whole(upto + 1) .. '-0')
  redis.call('HSET', summary, 'first', whole(upto + 1))
end
return {'done', covered}
""",
)
