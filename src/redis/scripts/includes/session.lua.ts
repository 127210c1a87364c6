/**
 * The live session of an id: a hash under `KEYS[1]`, its deadline in the sorted set under `KEYS[3]`.
 *
 * - `lagMs`: activity is written down only that often, and the deadline lies that much later, so that no
 *   session is over early. Milliseconds.
 * - `deadlineOf`: when a life is over. One that is held is not, not even by age.
 * - `setDeadline`: writes the deadline down; `PEXPIREAT` comes first because it needs no memory, see
 *   `allowWhenFull`.
 * - `isFull`: whether as many sessions live in the shard as may; -1: any number may.
 * - `otherHolds`: the holds of `h` (`token=until …`) but one's own and those that have run out; and how long
 *   one's own lasts.
 */
export const session = `
local id = ARGV[1]
local retentionMs = tonumber(ARGV[2])
local function lagMs(idleMs)
  if idleMs < 0 then
    return 1000
  end
  return math.max(1, math.min(math.floor(idleMs / 128), 1000))
end
local function deadlineOf(lastActiveAt, idleMs, maxAgeAt, held)
  local expiresAt = NEVER
  if idleMs >= 0 then
    expiresAt = lastActiveAt + math.ceil(idleMs) + lagMs(idleMs)
  end
  if maxAgeAt >= 0 then
    expiresAt = math.min(expiresAt, maxAgeAt)
  end
  return math.min(math.max(expiresAt, held), NEVER)
end
local function heldUntil(lockUntil, holds)
  if holds == '' then
    return lockUntil
  end
  local held = lockUntil
  for untilMs in string.gmatch(holds, '=(%d+)') do
    held = math.max(held, tonumber(untilMs))
  end
  return held
end
local function otherHolds(holds, ownToken)
  local others, remainingMs = {}, 0
  for token, untilMs in string.gmatch(holds, '(%S+)=(%d+)') do
    if token == ownToken then
      remainingMs = tonumber(untilMs) - now
    elseif tonumber(untilMs) > now then
      others[#others + 1] = token .. '=' .. untilMs
    end
  end
  return others, remainingMs
end
local function isFull(capacity)
  return capacity >= 0 and redis.call('ZCOUNT', KEYS[3], '(' .. toInteger(now), '+inf') >= capacity
end
local function setDeadline(incarnation, lastActiveAt, expiresAt)
  -- A turn may have outlasted the age of its session: the retention starts when it ends.
  local waits = math.max(expiresAt - now, 0)
  redis.call('PEXPIREAT', KEYS[1], toInteger(math.min(now + waits + retentionMs, NEVER)))
  redis.call('HSET', KEYS[1], 'a', toInteger(lastActiveAt), 'e', toInteger(expiresAt))
  redis.call('ZADD', KEYS[3], toInteger(expiresAt), incarnation .. ':' .. id)
  extendIndexTtl(KEYS[3], waits + retentionMs)
end
`
