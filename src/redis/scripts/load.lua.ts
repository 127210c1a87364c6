import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { eachClaim } from './includes/each-claim.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Begins the archives of claimed incarnations of one shard: reads each, counts the attempt, and seals it
 * against saves of a turn that lost its lock.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, then session, backlog of each
 * other claim
 * ARGV '', retentionMs, maximum number of attempts, maximum length of the values together, then `id,
 * incarnation, token` of each claim
 *
 * Reply, for each claim:
 * - `1, now, attempt, isSuperseded, state, value, k, isDeletion`. An attempt beyond the maximum is not
 *   counted: there is none left. A deletion has no maximum.
 * - 0: the lease is another's.
 * - 2: an older incarnation of the id comes first, or a write to the store.
 * - 3: the session is live, because the server's clock was set back.
 * - 4: the data are gone.
 * - 8, 9: see `each-claim.lua.ts`. The claims after the one that reaches the maximum length are not begun.
 */
export const load = new Script(
  'load',
  session,
  backlog,
  eachClaim,
  `
local maxAttempts, maxLength, length, begun = tonumber(ARGV[3]), tonumber(ARGV[4]), 0, {}
local function begin(member, token, phase, attempts, isDeletion)
  if phase == 'b' then
    return attempts
  end
  if isDeletion or attempts < maxAttempts then
    begun[#begun + 1] = member
    begun[#begun + 1] = leaseText(token, 'b', attempts + 1)
  end
  return attempts + 1
end
allowWhenFull(KEYS[5])
local replies = eachClaim(5, 4, 3, function(reply, first, member)
  local incarnation, size = ARGV[first + 1], #reply
  local token, phase, attempts = leaseOf(incarnation)
  if token ~= ARGV[first + 2] then
    reply[size + 1] = 0
    return
  end
  -- pcall: another program may have put a key of another type here.
  local fields = redis.pcall('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd', 'k', 'su', 'o', 'lo', 'lu', 'h', 'ir', 'lq')
  if tonumber(fields[10] or 0) > now then
    setLease(incarnation, '', '', attempts)
    redis.call('ZADD', KEYS[4], fields[10], member)
    reply[size + 1] = 2
    return
  end
  if fields[1] == incarnation then
    local expiredAt = tonumber(fields[2])
    if now < expiredAt then
      removeFromQueue(incarnation)
      redis.call('ZADD', KEYS[3], fields[2], member)
      extendIndexTtl(KEYS[3], expiredAt - now + retentionMs)
      reply[size + 1] = 3
      return
    end
    if getNames('q') ~= '' then
      removeFromQueue(incarnation)
      moveToBacklog(incarnation)
      reply[size + 1] = 2
      return
    end
    if fields[12] or fields[13] or fields[14] or fields[15] or fields[16] then
      redis.call('HDEL', KEYS[1], 'lo', 'lu', 'h', 'ir', 'lq')
    end
    redis.call('HSET', KEYS[1], 'e', '0')
    -- The key lasts for retentionMs from its deadline, which is not far back at the first attempt.
    if now - expiredAt > retentionMs / 64 then
      redis.call('PEXPIRE', KEYS[1], toInteger(retentionMs))
    end
    local attempt, value = begin(member, token, phase, attempts), fields[8] or ''
    reply[size + 1], reply[size + 2], reply[size + 3], reply[size + 4] = 1, now, attempt, 0
    reply[size + 5], reply[size + 6], reply[size + 7], reply[size + 8] = fields[11] or '', fields[3], fields[4], fields[5]
    reply[size + 9], reply[size + 10], reply[size + 11], reply[size + 12] = fields[6], fields[7], value, fields[9] or ''
    reply[size + 13] = 0
    length = length + #value
    return length >= maxLength
  end
  local entry = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d', incarnation .. ':k', incarnation .. ':x', incarnation .. ':ow')
  if not entry[1] then
    removeFromQueue(incarnation)
    setNames('q', withoutName(getNames('q'), incarnation))
    promoteNext()
    reply[size + 1] = 4
    return
  end
  if firstName(getNames('q')) ~= incarnation then
    removeFromQueue(incarnation)
    promoteNext()
    reply[size + 1] = 2
    return
  end
  extendTtl(KEYS[2], retentionMs)
  local attempt = begin(member, token, phase, attempts, entry[4])
  reply[size + 1], reply[size + 2], reply[size + 3] = 1, now, attempt
  reply[size + 4] = isSuperseded(incarnation) and 1 or 0
  appendState(reply, entry[1], entry[5])
  reply[#reply + 1] = entry[2]
  reply[#reply + 1] = entry[3] or ''
  reply[#reply + 1] = entry[4] and 1 or 0
  length = length + #(entry[2] or '')
  return length >= maxLength
end)
if #begun > 0 then
  redis.call('HSET', KEYS[5], unpack(begun))
end
return replies
`,
)
