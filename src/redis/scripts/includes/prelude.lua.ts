/**
 * The beginning of every script: the deadline of its call, the server's time, and shared functions.
 *
 * The scripts by the object that calls them:
 *
 * - `SessionStore`: `read`, `acquire`, `create`, `assign`, `replace`, `commit`, `renew`, `withdraw`,
 *   `remove`, `forget`
 * - `ClaimStore`: `claim`, `extend`, `load`, `settle`, `newest`, `discard`
 * - `DeadLetterStore`: `read-dead`, `retry-dead`, `drop-dead`
 * - `Tombstones`: `why-gone`
 * - `SessionScan`: `page`, `alive`, `count`, `count-since`
 * - `ShardGuard`: `read-shards`, `store-shards`; `ArchiverHeartbeat`: `write-heartbeat`, `read-heartbeat`
 *
 * Every script may be called again with the same arguments: it recognises what an earlier call has done. It
 * takes the time from the server, and declares every key that it touches; `storage/keys.ts` lists the keys.
 *
 * The last two of ARGV belong to the call: the instant, in server time, after which the script refuses to
 * run, and how long an operation is remembered. A script that comes too late (out of the queue of a client,
 * or the socket of a server that was stopped) changes nothing, since its caller has been rejected already.
 *
 * - `operationTtlMs`: how long an operation is remembered. Longer than a call is repeated.
 * - `NEVER`: an instant later than any deadline.
 * - `toInteger`: a number as Redis reads it; `tostring` would write a time as `1.7e+12`.
 * - `extendTtl`: lengthens the TTL of a key to `ms` and an eighth, so that not every write has to set it.
 * - `extendIndexTtl`: lengthens the TTL of an index to three times that. An index outlives the data that it
 *   names, so that data which expired by their TTL are noticed.
 * - `cachedReply`, `cacheReply`: the reply of an operation that must not run twice, for a repeated call.
 * - `allowWhenFull`: lets a script run where memory is full. Redis refuses a script there at its first
 *   writing command if that may need memory, and no later one. So reads, renewals and releases begin with a
 *   command that needs none.
 */
export const prelude = `
local count = #ARGV
local notAfter, operationTtlMs = tonumber(ARGV[count - 1]), tonumber(ARGV[count])
ARGV[count], ARGV[count - 1] = nil, nil
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
