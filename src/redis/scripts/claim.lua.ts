import { Script } from '../client/script.ts'
import { tombstones } from './includes/tombstones.lua.ts'

/**
 * Claims expired incarnations: first those whose lease or pause has ended, then those past their deadline.
 *
 * It touches no session, because a script must not touch keys whose names it reads from a set. A member that
 * is not the name of an incarnation is removed. With `latest`, nothing is claimed that came due later, nor
 * what a caller waits for: that is for processes that archive.
 *
 * KEYS deadlines, queue, leases, dead letters, reply, tombstones
 * ARGV limit, leaseMs, token, retentionMs, `latest` in server time or '', tombstoneMs, ''
 *
 * Reply: `{now, nextInMs, removed, claimed}`, then `member, isNew` of each claim. `nextInMs` is the time
 * until the next is due, -1 if there is none. `isNew` is 0 for an incarnation that was claimed before.
 */
export const claim = new Script(
  'claim',
  tombstones,
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
local untilMs = toInteger(now + leaseMs)
for index = 2, 1, -1 do
  local due = redis.call('ZRANGEBYSCORE', KEYS[index], from, toInteger(latest), 'LIMIT', 0, limit - reply[4])
  reply[4] = reply[4] + #due
  local found = #due > 0 and redis.call('HMGET', KEYS[3], unpack(due)) or {}
  local claimed, leases, queued = {}, {}, {}
  for position, member in ipairs(due) do
    local lease = found[position]
    if #member > 23 and string.sub(member, 23, 23) == ':' then
      local attempts = tonumber(string.match(lease or '', ':(%d+)$') or 0)
      claimed[#claimed + 1] = member
      leases[2 * #claimed - 1], leases[2 * #claimed] = member, token .. ':' .. toInteger(attempts)
      queued[2 * #claimed - 1], queued[2 * #claimed] = untilMs, member
      reply[#reply + 1] = member
      reply[#reply + 1] = lease and 0 or 1
    else
      redis.call('ZREM', KEYS[index], member)
      redis.call('HDEL', KEYS[3], member)
      reply[3] = reply[3] + 1
    end
  end
  if #claimed > 0 then
    if index == 1 then
      redis.call('ZREM', KEYS[1], unpack(claimed))
    end
    redis.call('HSET', KEYS[3], unpack(leases))
    redis.call('ZADD', KEYS[2], unpack(queued))
  end
end
if reply[4] > 0 then
  extendIndexTtl(KEYS[2], retentionMs + leaseMs)
  extendIndexTtl(KEYS[3], retentionMs + leaseMs)
end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', toInteger(now - retentionMs))
dropLapsed(KEYS[6], 100)
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
 * Renews the leases of claims.
 *
 * KEYS queue, leases
 * ARGV leaseMs, retentionMs, then `member, token` of each claim
 *
 * Reply: for each claim 1, or 0 if another process has the lease.
 */
export const extend = new Script(
  'extend',
  `
local untilMs, reply = now + tonumber(ARGV[1]), {}
allowWhenFull(KEYS[2])
for index = 3, #ARGV, 2 do
  local member, token = ARGV[index], ARGV[index + 1]
  local lease = redis.call('HGET', KEYS[2], member)
  if lease and string.sub(lease, 1, #token + 1) == token .. ':' then
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
 * Removes members that do not belong to the shard.
 *
 * KEYS deadlines, queue, leases
 * ARGV members
 *
 * Reply: 1.
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
