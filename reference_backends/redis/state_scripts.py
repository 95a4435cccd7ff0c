"""What the server does by itself for a state, each script as one step.

Every script first removes what has expired by the time that it is told, the caller's. So nothing else has to think of
expiry, and what was seen expired by anybody stays away when a clock steps back. Redis' own EXPIRE is not used: it
goes by the clock of the server, and would expire a whole hash.
"""

from __future__ import annotations

from reference_backends.redis.command import Script

#: The keys are those of `Place.state_keys`. A version is a number that no other write of the store has or had.
_PRELUDE = """
local entries, records, deadlines, counters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local function remove(key)
  if redis.call('HDEL', entries, key) == 1 then
    redis.call('ZREM', deadlines, key)
    redis.call('HINCRBY', counters, 'membership', 1)
  end
end

local function put(key, record, deadline, versions)
  local version = redis.call('HINCRBY', counters, 'version', 1)
  redis.call('HSET', records, version, record)
  redis.call('RPUSH', versions, version)
  if redis.call('HSET', entries, key, version) == 1 then
    redis.call('HINCRBY', counters, 'membership', 1)
  end
  if deadline == '' then
    redis.call('ZREM', deadlines, key)
  else
    redis.call('ZADD', deadlines, deadline, key)
  end
  return version
end

-- Changes with everything that changes what is present: a put gives a version, all else changes the membership.
local function stamp()
  return redis.call('HGET', counters, 'version') or '0', redis.call('HGET', counters, 'membership') or '0'
end

for _, key in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', ARGV[1])) do
  remove(key)
end
"""

#: ARGV: time, key. Returns its version and its record, or nothing twice; and the stamp.
READ = Script(
    "read",
    _PRELUDE
    + """
local version = redis.call('HGET', entries, ARGV[2])
local record = version and redis.call('HGET', records, version)
return {version, record, stamp()}
""",
)

#: ARGV: time, key. Returns its version and its deadline, or nothing for either.
FIND = Script(
    "find",
    _PRELUDE
    + """
return {redis.call('HGET', entries, ARGV[2]), redis.call('ZSCORE', deadlines, ARGV[2])}
""",
)

#: ARGV: time. Returns the keys with their versions, and the stamp.
LIST = Script(
    "list",
    _PRELUDE
    + """
return {redis.call('HGETALL', entries), stamp()}
""",
)

#: ARGV: time. KEYS: also the snapshots. Returns how many keys, versions and snapshots there are.
COUNT = Script(
    "count",
    _PRELUDE
    + """
return {redis.call('HLEN', entries), redis.call('HLEN', records), redis.call('SCARD', KEYS[5])}
""",
)

#: Writes, or deletes where the record is empty, if all that was read is still so: keys with their versions (empty for
#: a missing one), and, where it is given, the membership.
#: ARGV: time, membership, how many reads; for each read: key, version; for each write: key, record, deadline.
#: KEYS: also the versions of each key that is written.
#: Returns 'done', the stamp and the new versions; or 'conflict', and the key and the version found where it is a key.
COMMIT = Script(
    "commit",
    _PRELUDE
    + """
local _, membership = stamp()
if ARGV[2] ~= '' and ARGV[2] ~= membership then
  return {'conflict'}
end
local at = 4
for _ = 1, tonumber(ARGV[3]) do
  local found = redis.call('HGET', entries, ARGV[at]) or ''
  if found ~= ARGV[at + 1] then
    return {'conflict', ARGV[at], found}
  end
  at = at + 2
end
local given = {}
for i = 5, #KEYS do
  if ARGV[at + 1] == '' then
    remove(ARGV[at])
  else
    given[#given + 1] = put(ARGV[at], ARGV[at + 1], ARGV[at + 2], KEYS[i])
  end
  at = at + 3
end
local version, members = stamp()
return {'done', version, members, given}
""",
)

#: ARGV: time, key. Deletes the key, and returns the version and the record that it had, or nothing.
REMOVE = Script(
    "remove",
    _PRELUDE
    + """
local version = redis.call('HGET', entries, ARGV[2])
if not version then
  return false
end
remove(ARGV[2])
return {version, redis.call('HGET', records, version)}
""",
)

#: ARGV: time. Deletes every key.
CLEAR = Script(
    "clear",
    _PRELUDE
    + """
redis.call('HINCRBY', counters, 'membership', redis.call('HLEN', entries))
redis.call('DEL', entries, deadlines)
return 'OK'
""",
)

#: ARGV: time, name. KEYS: also the snapshots, and the one of that name.
SAVE = Script(
    "save snapshot",
    _PRELUDE
    + """
redis.call('DEL', KEYS[6])
redis.call('COPY', entries, KEYS[6])
redis.call('SADD', KEYS[5], ARGV[2])
return 'OK'
""",
)

#: ARGV: time, name. KEYS: as for SAVE. Returns the keys of a snapshot with their versions; nothing when there is none.
LOAD = Script(
    "load snapshot",
    _PRELUDE
    + """
return redis.call('SISMEMBER', KEYS[5], ARGV[2]) == 1 and redis.call('HGETALL', KEYS[6])
""",
)
