import { Script } from '../script.ts'

/**
 * Takes lives that are over under a lease: first those whose lease has run out or whose pause has ended, then those due.
 *
 * It touches no session: their keys could not be declared, for their names stand in the sets. An entry that is no name of
 * a life is removed.
 *
 * KEYS deadlines, queue, leases, dead, answer · ARGV limit, leaseMs, token, retentionMs, latest or ''
 *
 * Nothing is taken that was not due by `latest`, in the server's time, nor what is to be first: that is for those who archive.
 *
 * `{now, next, removed, taken}`, and of each life `member, isNew`; `next` is how many ms until something is due, -1: nothing
 * is. `isNew` is 1 where it was never claimed before.
 */
export const claim = new Script(
  'claim',
  `
local answer = recall(KEYS[5])
if answer then
  return answer
end
local limit, lease, token, retention = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local from, latest = '-inf', now
if ARGV[5] ~= '' then
  from, latest = '(0', math.min(now, tonumber(ARGV[5]))
end
evenIfFull(KEYS[3])
answer = { now, -1, 0, 0 }
for index = 2, 1, -1 do
  local due = redis.call('ZRANGEBYSCORE', KEYS[index], from, int(latest), 'LIMIT', 0, limit - answer[4])
  answer[4] = answer[4] + #due
  for _, member in ipairs(due) do
    local leased = redis.call('HGET', KEYS[3], member)
    if #member > 23 and string.sub(member, 23, 23) == ':' then
      if index == 1 then
        redis.call('ZREM', KEYS[1], member)
      end
      local attempts = tonumber(string.match(leased or '', ':(%d+)$') or 0)
      redis.call('HSET', KEYS[3], member, token .. ':' .. int(attempts))
      redis.call('ZADD', KEYS[2], int(now + lease), member)
      answer[#answer + 1] = member
      answer[#answer + 1] = leased and 0 or 1
    else
      redis.call('ZREM', KEYS[index], member)
      redis.call('HDEL', KEYS[3], member)
      answer[3] = answer[3] + 1
    end
  end
end
if answer[4] > 0 then
  keepIndex(KEYS[2], retention + lease)
  keepIndex(KEYS[3], retention + lease)
end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', int(now - retention))
local next = far
for index = 1, 2 do
  local first = redis.call('ZRANGEBYSCORE', KEYS[index], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if first[2] then
    next = math.min(next, tonumber(first[2]))
  end
end
if next < far then
  answer[2] = math.max(next - now, 0)
end
if answer[4] > 0 then
  remember(KEYS[5], answer)
end
return answer
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
local til, answer = now + tonumber(ARGV[1]), {}
evenIfFull(KEYS[2])
for index = 3, #ARGV, 2 do
  local member, token = ARGV[index], ARGV[index + 1]
  local leased = redis.call('HGET', KEYS[2], member)
  if leased and string.sub(leased, 1, #token + 1) == token .. ':' then
    redis.call('ZADD', KEYS[1], int(til), member)
    answer[#answer + 1] = 1
  else
    answer[#answer + 1] = 0
  end
end
keepIndex(KEYS[1], tonumber(ARGV[2]) + tonumber(ARGV[1]))
keepIndex(KEYS[2], tonumber(ARGV[2]) + tonumber(ARGV[1]))
return answer
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
