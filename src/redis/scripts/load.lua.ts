import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Begins the archive of a claimed incarnation: reads it, counts the attempt, and seals it against saves of a
 * turn that lost its lock.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations
 * ARGV id, retentionMs, incarnation, token, maximum number of attempts
 *
 * Reply:
 * - `{1, now, attempt, isSuperseded, state, value, k, isDeletion}`. An attempt beyond the maximum is not
 *   counted: there is none left. A deletion has no maximum.
 * - `{0}`: the lease is another's.
 * - `{2}`: an older incarnation of the id comes first, or a write to the store.
 * - `{3}`: the session is live, because the server's clock was set back.
 * - `{4}`: the data are gone.
 */
export const load = new Script(
  'load',
  session,
  backlog,
  `
local incarnation = ARGV[3]
local token, phase, attempts = leaseOf(incarnation)
if token ~= ARGV[4] then
  return { 0 }
end
allowWhenFull(KEYS[5])
local function countAttempt(isDeletion)
  if phase == 'b' then
    return attempts
  end
  if isDeletion or attempts < tonumber(ARGV[5]) then
    setLease(incarnation, token, 'b', attempts + 1)
  end
  return attempts + 1
end
-- pcall: another program may have put a key of another type here.
local fields = redis.pcall('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd', 'k', 'su', 'o')
if tonumber(fields[10] or 0) > now then
  setLease(incarnation, '', '', attempts)
  redis.call('ZADD', KEYS[4], fields[10], memberOf(incarnation))
  return { 2 }
end
if fields[1] == incarnation then
  if now < tonumber(fields[2]) then
    removeFromQueue(incarnation)
    redis.call('ZADD', KEYS[3], fields[2], memberOf(incarnation))
    extendIndexTtl(KEYS[3], tonumber(fields[2]) - now + retentionMs)
    return { 3 }
  end
  if getNames('q') ~= '' then
    removeFromQueue(incarnation)
    moveToBacklog(incarnation)
    return { 2 }
  end
  redis.call('HDEL', KEYS[1], 'lo', 'lu', 'h', 'ir', 'lq')
  redis.call('HSET', KEYS[1], 'e', '0')
  redis.call('PEXPIRE', KEYS[1], toInteger(retentionMs))
  return { 1, now, countAttempt(), 0, fields[11] or '', fields[3], fields[4], fields[5], fields[6], fields[7], fields[8], fields[9] or '', 0 }
end
local entry = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d', incarnation .. ':k', incarnation .. ':x', incarnation .. ':ow')
if not entry[1] then
  removeFromQueue(incarnation)
  setNames('q', withoutName(getNames('q'), incarnation))
  promoteNext()
  return { 4 }
end
if firstName(getNames('q')) ~= incarnation then
  removeFromQueue(incarnation)
  promoteNext()
  return { 2 }
end
extendTtl(KEYS[2], retentionMs)
local reply = { 1, now, countAttempt(entry[4]), isSuperseded(incarnation) and 1 or 0 }
appendState(reply, entry[1], entry[5])
reply[#reply + 1] = entry[2]
reply[#reply + 1] = entry[3] or ''
reply[#reply + 1] = entry[4] and 1 or 0
return reply
`,
)
