import { Script } from '../client/script.ts'

/**
 * Takes lives that are over under a lease: first those whose lease has run out or whose pause has ended, then
 * those due.
 *
 * It touches no session: their keys could not be declared, for their names stand in the sets. An entry that
 * is no name of a life is removed.
 *
 * KEYS deadlines, queue, leases, dead, answer · ARGV limit, leaseMs, token, retentionMs, latest or ''
 *
 * Nothing is taken that was not due by `latest`, in the server's time, nor what is to be first: that is for
 * those who archive.
 *
 * `{now, next, removed, taken}`, and of each life `member, isNew`; `next` is how many ms until something is
 * due, -1: nothing is. `isNew` is 1 where it was never claimed before.
 */
export const claim = new Script(
  'claim',
  `
local reply = cachedReply(KEYS[5])
if reply then
  return reply
end
local limit, leaseMs, token, retentionMs = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local from, latest = '-inf', now
if ARGV[5] ~= '' then
  from, latest = '(0', math.min(now, tonumber(ARGV[5]))
end
allowWhenFull(KEYS[3])
reply = { now, -1, 0, 0 }
for index = 2, 1, -1 do
  local due = redis.call('ZRANGEBYSCORE', KEYS[index], from, toInteger(latest), 'LIMIT', 0, limit - reply[4])
  reply[4] = reply[4] + #due
  for _, member in ipairs(due) do
    local leased = redis.call('HGET', KEYS[3], member)
    if #member > 23 and string.sub(member, 23, 23) == ':' then
      if index == 1 then
        redis.call('ZREM', KEYS[1], member)
      end
      local attempts = tonumber(string.match(leased or '', ':(%d+)$') or 0)
      redis.call('HSET', KEYS[3], member, token .. ':' .. toInteger(attempts))
      redis.call('ZADD', KEYS[2], toInteger(now + leaseMs), member)
      reply[#reply + 1] = member
      reply[#reply + 1] = leased and 0 or 1
    else
      redis.call('ZREM', KEYS[index], member)
      redis.call('HDEL', KEYS[3], member)
      reply[3] = reply[3] + 1
    end
  end
end
if reply[4] > 0 then
  extendIndexTtl(KEYS[2], retentionMs + leaseMs)
  extendIndexTtl(KEYS[3], retentionMs + leaseMs)
end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', toInteger(now - retentionMs))
local nextDueAt = NEVER
for index = 1, 2 do
  local first = redis.call('ZRANGEBYSCORE', KEYS[index], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if first[2] then
    nextDueAt = math.min(nextDueAt, tonumber(first[2]))
  end
end
if nextDueAt < NEVER then
  reply[2] = math.max(nextDueAt - now, 0)
end
if reply[4] > 0 then
  cacheReply(KEYS[5], reply)
end
return reply
`,
)

/**
 * Renews the leases of lives that are being archived.
 *
 * KEYS queue, leases · ARGV leaseMs, retentionMs, and of each `member, token`
 *
 * For each 1, or 0 if the lease is another's.
 */
export const extend = new Script(
  'extend',
  `
local untilMs, reply = now + tonumber(ARGV[1]), {}
allowWhenFull(KEYS[2])
for index = 3, #ARGV, 2 do
  local member, token = ARGV[index], ARGV[index + 1]
  local leased = redis.call('HGET', KEYS[2], member)
  if leased and string.sub(leased, 1, #token + 1) == token .. ':' then
    redis.call('ZADD', KEYS[1], toInteger(untilMs), member)
    reply[#reply + 1] = 1
  else
    reply[#reply + 1] = 0
  end
end
extendIndexTtl(KEYS[1], tonumber(ARGV[2]) + tonumber(ARGV[1]))
extendIndexTtl(KEYS[2], tonumber(ARGV[2]) + tonumber(ARGV[1]))
return reply
`,
)

/**
 * Takes entries out of the queue of a shard that they do not belong to.
 *
 * KEYS deadlines, queue, leases · ARGV members
 */
export const discard = new Script(
  'discard',
  `
for _, member in ipairs(ARGV) do
  redis.call('ZREM', KEYS[1], member)
  redis.call('ZREM', KEYS[2], member)
  redis.call('HDEL', KEYS[3], member)
end
return 1
`,
)
