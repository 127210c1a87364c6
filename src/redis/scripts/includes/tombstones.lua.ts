/**
 * The tombstones of a shard: why and when sessions ended, in a sorted set whose name the functions are given.
 * Needs `session` and `backlog`, except `dropLapsed`.
 *
 * A member is a keyed hash of an id, and for a session with an owner another one of id and owner. Its score
 * is the end in epoch ms, times 8, plus the code of the reason. The end is told to an owner while both
 * members have one score. The key of the hashes is a member too, with the score `+inf`: it is made with the
 * set and lapses with it. So the set names neither ids nor owners, and no process has to know the key.
 *
 * The last two of ARGV, before those of the call: `tombstoneMs`, which is 0 if no tombstones are kept and
 * `NEVER` for no limit, and a random text that becomes the key of a set without one.
 *
 * - `expiryOf`: why and when an expired session ended: the deadline that came first. That of the age is a
 *   millisecond earlier than `m`, see `creation.lua.ts`.
 * - `youngestOfId`: the youngest incarnation that is in Redis and no dead letter, or nil; with the end that
 *   it has if it has expired.
 * - `readTombstone`: code and end of the last session of the id that ended, or nil. With an owner, only if it
 *   belonged to that owner; '' is any.
 * - `keepTombstone`: keeps the end of a session. `deadline` is that of an expired one that may not be the
 *   youngest of its id: in whatever order they end, the end of the youngest is kept.
 * - `dropLapsed`: drops tombstones that are not told any more. A few at a time, since there may be many.
 */
export const tombstones = `
local newHashKey = table.remove(ARGV)
local tombstoneMs = tonumber(table.remove(ARGV))
local IDLE, AGE, DELETED = 0, 1, 2
local YEAR = 31536000000
local function expiryOf(lastActiveAt, idleMs, maxAgeAt)
  local idleAt, ageAt = NEVER, NEVER
  if tonumber(idleMs) >= 0 then
    idleAt = tonumber(lastActiveAt) + tonumber(idleMs)
  end
  if tonumber(maxAgeAt) >= 0 then
    ageAt = tonumber(maxAgeAt)
  end
  if ageAt < idleAt then
    return AGE, ageAt - 1
  end
  return IDLE, math.floor(idleAt + 0.5)
end
local function queuedExpiry(times)
  return expiryOf(string.match(times, '^%S+ %S+ (%S+) (%S+) (%S+)'))
end
local function youngestOfId()
  local fields = redis.call('HMGET', KEYS[1], 'g', 'o', 'e', 'a', 'i', 'm')
  if fields[1] then
    local reason, endedAt = expiryOf(fields[4], fields[5], fields[6])
    local isLive = now < tonumber(fields[3])
    return { name = fields[1], owner = fields[2] or '', isCurrent = true, isLive = isLive, reason = reason, endedAt = endedAt }
  end
  local youngest, greatest
  for name in string.gmatch(getNames('q'), '%S+') do
    local entry = redis.call('HMGET', KEYS[2], name .. ':o', name .. ':x', name .. ':m', name .. ':ow')
    local sequence = tonumber(entry[1] or 0)
    if not entry[2] and (not youngest or sequence > greatest) then
      local reason, endedAt = queuedExpiry(entry[3])
      youngest = { name = name, owner = entry[4] or '', isCurrent = false, isLive = false, reason = reason, endedAt = endedAt }
      greatest = sequence
    end
  end
  return youngest
end
local hashKeyInSet
local function hashKeyOf(key)
  hashKeyInSet = hashKeyInSet or redis.call('ZRANGEBYSCORE', key, '+inf', '+inf')[1]
  return hashKeyInSet
end
local function hashOf(hashKey, owner)
  return string.sub(redis.sha1hex(hashKey .. #id .. ':' .. id .. owner), 1, 32)
end
local function hasLapsed(endedAt)
  return now - endedAt >= tombstoneMs
end
local function readTombstone(key, owner)
  local hashKey = hashKeyOf(key)
  local score = hashKey and redis.call('ZSCORE', key, hashOf(hashKey, ''))
  if not score or (owner ~= '' and redis.call('ZSCORE', key, hashOf(hashKey, owner)) ~= score) then
    return nil
  end
  local endedAt = math.floor(tonumber(score) / 8)
  return tonumber(score) - endedAt * 8, endedAt
end
local function dropLapsed(key, limit)
  if tombstoneMs == 0 or tombstoneMs >= NEVER then
    return
  end
  local latest = toInteger(math.floor(now - tombstoneMs) * 8 + 7)
  local lapsed = redis.call('ZRANGEBYSCORE', key, '-inf', latest, 'LIMIT', 0, limit)
  if #lapsed > 0 then
    redis.call('ZREM', key, unpack(lapsed))
  end
end
local hasKept = false
local function keepTombstone(key, owner, reason, endedAt, deadline)
  if hasLapsed(endedAt) then
    return
  end
  local hashKey = hashKeyOf(key)
  if not hashKey then
    hashKey, hashKeyInSet = newHashKey, newHashKey
    redis.call('ZADD', key, '+inf', hashKey)
  elseif deadline then
    local _, keptAt = readTombstone(key, '')
    if keptAt and keptAt > deadline then
      return
    end
  end
  local score = toInteger(endedAt * 8 + reason)
  redis.call('ZADD', key, score, hashOf(hashKey, ''))
  if owner ~= '' then
    redis.call('ZADD', key, score, hashOf(hashKey, owner))
  end
  if not hasKept then
    hasKept = true
    dropLapsed(key, 10)
    extendTtl(key, tombstoneMs < NEVER and tombstoneMs or YEAR)
  end
end
`
