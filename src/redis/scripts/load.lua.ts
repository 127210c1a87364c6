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
local function append(reply, ...)
  for _, part in ipairs({ ... }) do
    reply[#reply + 1] = part
  end
end
allowWhenFull(KEYS[5])
local replies = eachClaim(5, 4, 3, function(reply, first)
  local incarnation = ARGV[first + 1]
  local token, phase, attempts = leaseOf(incarnation)
  if token ~= ARGV[first + 2] then
    append(reply, 0)
    return
  end
  local function countAttempt(isDeletion)
    if phase == 'b' then
      return attempts
    end
    if isDeletion or attempts < maxAttempts then
      begun[#begun + 1] = memberOf(incarnation)
      begun[#begun + 1] = leaseText(token, 'b', attempts + 1)
    end
    return attempts + 1
  end
  -- pcall: another program may have put a key of another type here.
  local fields = redis.pcall('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd', 'k', 'su', 'o', 'lo', 'lu', 'h', 'ir', 'lq')
  if tonumber(fields[10] or 0) > now then
    setLease(incarnation, '', '', attempts)
    redis.call('ZADD', KEYS[4], fields[10], memberOf(incarnation))
    append(reply, 2)
    return
  end
  if fields[1] == incarnation then
    if now < tonumber(fields[2]) then
      removeFromQueue(incarnation)
      redis.call('ZADD', KEYS[3], fields[2], memberOf(incarnation))
      extendIndexTtl(KEYS[3], tonumber(fields[2]) - now + retentionMs)
      append(reply, 3)
      return
    end
    if getNames('q') ~= '' then
      removeFromQueue(incarnation)
      moveToBacklog(incarnation)
      append(reply, 2)
      return
    end
    if fields[12] or fields[13] or fields[14] or fields[15] or fields[16] then
      redis.call('HDEL', KEYS[1], 'lo', 'lu', 'h', 'ir', 'lq')
    end
    redis.call('HSET', KEYS[1], 'e', '0')
    redis.call('PEXPIRE', KEYS[1], toInteger(retentionMs))
    append(reply, 1, now, countAttempt(), 0, fields[11] or '', fields[3], fields[4], fields[5], fields[6], fields[7])
    append(reply, fields[8], fields[9] or '', 0)
    length = length + #(fields[8] or '')
    return length >= maxLength
  end
  local entry = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d', incarnation .. ':k', incarnation .. ':x', incarnation .. ':ow')
  if not entry[1] then
    removeFromQueue(incarnation)
    setNames('q', withoutName(getNames('q'), incarnation))
    promoteNext()
    append(reply, 4)
    return
  end
  if firstName(getNames('q')) ~= incarnation then
    removeFromQueue(incarnation)
    promoteNext()
    append(reply, 2)
    return
  end
  extendTtl(KEYS[2], retentionMs)
  append(reply, 1, now, countAttempt(entry[4]), isSuperseded(incarnation) and 1 or 0)
  appendState(reply, entry[1], entry[5])
  append(reply, entry[2], entry[3] or '', entry[4] and 1 or 0)
  length = length + #(entry[2] or '')
  return length >= maxLength
end)
if #begun > 0 then
  redis.call('HSET', KEYS[5], unpack(begun))
end
return replies
`,
)
