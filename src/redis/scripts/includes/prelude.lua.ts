/**
 * The beginning of every script: its deadline, the server's time, and what every script does with them.
 *
 * The last two arguments are of the call itself, not of the script: until when it may be carried out, in the
 * server's time, and how long an operation is remembered. A script that comes too late, out of the queue of a
 * client or the socket of a server that stood still, does nothing: its caller was told long ago that it
 * failed.
 *
 * - `operationTtlMs`: how long an operation that must not be done twice is remembered; longer than a call is
 *   repeated.
 * - `int`: a number as Redis wants it; `tostring` would make `1.7e+12` of a time.
 * - `extendTtl`: no key is without a TTL; one that must live longer gets more, with a slack so that not every
 *   write sets it.
 * - `extendIndexTtl`: an index outlives the data that it names by far: where the data went by their TTL, that
 *   is found and told.
 * - `cachedReply`, `cacheReply`: what an operation that must not be done twice has answered, for the case
 *   that the answer was lost.
 * - `allowWhenFull`: where memory is full, Redis refuses a script at its first command that writes, if that
 *   one could need memory, and no later. What must go on then (reading, renewing, letting go) begins with a
 *   command that needs none.
 */
export const prelude = `
local operationTtlMs = tonumber(table.remove(ARGV))
local notAfter = tonumber(table.remove(ARGV))
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if now > notAfter then
  return { 0, now }
end
local NEVER = 8640000000000000
local function toInteger(value)
  return string.format('%.0f', value)
end
local function extendTtl(key, ms)
  ms = math.max(math.min(ms, NEVER - now), 1)
  if redis.call('PTTL', key) < ms then
    redis.call('PEXPIRE', key, toInteger(ms + ms / 8))
  end
end
local function extendIndexTtl(key, ms)
  extendTtl(key, 3 * ms)
end
local function allowWhenFull(key)
  redis.call('HDEL', key, '')
end
local function cachedReply(key)
  local reply = redis.call('LRANGE', key, 0, -1)
  if #reply > 0 then
    return reply
  end
end
local function cacheReply(key, reply)
  for from = 1, #reply, 1000 do
    redis.call('RPUSH', key, unpack(reply, from, math.min(from + 999, #reply)))
  end
  redis.call('PEXPIRE', key, operationTtlMs)
end
`
