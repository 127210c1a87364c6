import { Script } from '../script.ts'

/**
 * Takes lives that are over under a lease: first those whose lease has run out or whose pause has ended, then those due.
 *
 * It touches no session: their keys could not be declared, for their names stand in the sets.
 *
 * KEYS deadlines, queue, leases, dead, answer · ARGV limit, leaseMs, token, retentionMs
 *
 * `{now, next}`, and of each life `member, attempt`; `next` is how many ms until something is due, -1: nothing is.
 */
export const claim = new Script(
  'claim',
  `
local answer = recall(KEYS[5])
if answer then
  return answer
end
local limit, lease, token, retention = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
evenIfFull(KEYS[3])
local taken = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', int(now), 'LIMIT', 0, limit)
if #taken < limit then
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', int(now), 'LIMIT', 0, limit - #taken)
  for _, member in ipairs(due) do
    redis.call('ZREM', KEYS[1], member)
    taken[#taken + 1] = member
  end
end
answer = { now, -1 }
for _, member in ipairs(taken) do
  local leased = redis.call('HGET', KEYS[3], member)
  local attempt = 1
  if leased then
    attempt = tonumber(string.match(leased, ':(%d+)$')) + 1
  end
  redis.call('HSET', KEYS[3], member, token .. ':' .. int(attempt))
  redis.call('ZADD', KEYS[2], int(now + lease), member)
  answer[#answer + 1] = member
  answer[#answer + 1] = attempt
end
if #taken > 0 then
  keep(KEYS[2], retention + lease)
  keep(KEYS[3], retention + lease)
end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', int(now - retention))
local next = far
for index = 1, 2 do
  local first = redis.call('ZRANGE', KEYS[index], 0, 0, 'WITHSCORES')
  if first[2] then
    next = math.min(next, tonumber(first[2]))
  end
end
if next < far then
  answer[2] = math.max(next - now, 0)
end
if #taken > 0 then
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
keep(KEYS[1], tonumber(ARGV[2]) + tonumber(ARGV[1]))
keep(KEYS[2], tonumber(ARGV[2]) + tonumber(ARGV[1]))
return answer
`,
)
