import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { firstClaim } from './includes/first-claim.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Takes the next step to the newest state of an id: a live session, else an older incarnation that waits,
 * else the newest dead letter, else what was archived.
 *
 * - An older incarnation that waits is put first, or claimed: `first-claim.lua.ts`.
 * - A dead letter that is the newest state becomes the live session again; its idle time and its age start
 *   anew. A call for another owner does not revive it.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations
 * ARGV id, retentionMs, token or '', leaseMs, longest pause in ms, live sessions per shard or -1, new name
 * for the state that is loaded, TTL of that name in ms, hasArchive, owner or ''
 *
 * Reply:
 * - `{0, name, now}`: the archived state is the newest, for as long as the backlog has this name for it.
 * - `{1}`: there is a live session. `{1, inMs}`: a dead letter was revived; it expires in `inMs`.
 * - `{2}`: an incarnation waits or is being archived.
 * - `{3, incarnation, isNew}`: claimed.
 * - `{4}`: the shard is full.
 * - `{5, o}`: a dead letter of another owner.
 */
export const newest = new Script(
  'newest',
  session,
  backlog,
  firstClaim,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e')
if fields[1] and now < tonumber(fields[2]) then
  return { 1 }
end
allowWhenFull(KEYS[5])
local first = firstName(getNames('q'))
local incarnation = first or fields[1]
if incarnation then
  if first and fields[1] and isArchiving(fields[1]) then
    return { 2 }
  end
  return putFirst(incarnation, ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[9] == '1')
end
incarnation = newestDeadLetter()
if incarnation then
  local entry = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d', incarnation .. ':k', incarnation .. ':ow')
  if not isAdmitted(ARGV[10], entry[4]) then
    return { 5, entry[4] or '' }
  end
  if isFull(tonumber(ARGV[6])) then
    return { 4 }
  end
  local version, createdAt, _, idleMs, maxAgeAt = string.match(entry[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)')
  if tonumber(maxAgeAt) >= 0 then
    maxAgeAt = toInteger(math.min(now + tonumber(maxAgeAt) - tonumber(createdAt), NEVER))
  end
  redis.call('HSET', KEYS[1], 'g', incarnation, 'v', version, 'c', toInteger(now), 'i', idleMs, 'm', maxAgeAt, 'd', entry[2])
  -- In a store its age goes on.
  redis.call('HSET', KEYS[1], 'k', entry[3] or '{"createdAt":' .. createdAt .. '}')
  if entry[4] then
    redis.call('HSET', KEYS[1], 'o', entry[4])
  end
  deleteEntry(incarnation)
  setNames('z', withoutName(getNames('z'), incarnation))
  redis.call('ZREM', KEYS[6], memberOf(incarnation))
  deleteIfEmpty()
  local expiresAt = deadlineOf(now, tonumber(idleMs), tonumber(maxAgeAt), 0)
  setDeadline(incarnation, now, expiresAt)
  return { 1, expiresAt - now }
end
local loadToken = getNames('ld')
if loadToken == '' then
  loadToken = ARGV[7]
  redis.call('HSET', KEYS[2], 'ld', loadToken)
end
extendTtl(KEYS[2], tonumber(ARGV[8]))
return { 0, loadToken, now }
`,
)
