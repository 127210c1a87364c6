import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * The next step to the newest state of an id that is to be loaded: a live session, else an older life that
 * waits, else the newest dead one, else what was archived.
 *
 * A life that waits is put first. It is taken under a lease, if it is ready and no process has begun to
 * archive it, nor taken it for a caller of its own; without a token it becomes the first to be claimed, where
 * there is an archive to wait for. A pause between two tries is cut short.
 *
 * A dead life that is the newest state is taken back to life. Its idle time and its age start again.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, token or '', leaseMs, the
 * longest pause in ms, live sessions of the shard at the most or -1, a new name, how long it is kept in ms,
 * whether it is to be archived
 *
 * `{0, ld}`: what can be loaded is the newest state, for as long as `ld` names it. `{1}`: there is a live
 * session; `{1, inMs}`: one was taken back to life, and is over in so many ms. `{2}`: a life waits, or is
 * being archived. `{3, g, isNew}`: it was taken. `{4}`: the shard is full.
 */
export const newest = new Script(
  'newest',
  session,
  backlog,
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
  local token, phase, attempts = leaseOf(incarnation)
  local wantedToken, readyAt = ARGV[3], tonumber(redis.call('ZSCORE', KEYS[4], memberOf(incarnation)) or 0)
  local isNew = redis.call('HEXISTS', KEYS[5], memberOf(incarnation)) == 1 and 0 or 1
  if readyAt > now and token ~= '' then
    if token == wantedToken then
      return { 3, incarnation, 0 }
    end
    if phase ~= '' or wantedToken == '' then
      return { 2 }
    end
  elseif readyAt > now then
    local soon = now + tonumber(ARGV[5])
    if readyAt > soon then
      redis.call('ZADD', KEYS[4], toInteger(soon), memberOf(incarnation))
    end
    return { 2 }
  end
  redis.call('ZREM', KEYS[3], memberOf(incarnation))
  local untilMs = now
  if ARGV[9] == '1' then
    untilMs = 0
  end
  if wantedToken ~= '' then
    setLease(incarnation, wantedToken, 'u', attempts)
    untilMs = now + tonumber(ARGV[4])
  elseif isNew == 0 then
    setLease(incarnation, '', '', attempts)
  end
  redis.call('ZADD', KEYS[4], toInteger(untilMs), memberOf(incarnation))
  extendIndexTtl(KEYS[4], retentionMs + tonumber(ARGV[4]))
  extendIndexTtl(KEYS[5], retentionMs + tonumber(ARGV[4]))
  if wantedToken == '' then
    return { 2 }
  end
  return { 3, incarnation, isNew }
end
incarnation = newestDeadLetter()
if incarnation then
  if isFull(tonumber(ARGV[6])) then
    return { 4 }
  end
  local entry = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d')
  local version, createdAt, _, idleMs, maxAgeAt = string.match(entry[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)')
  if tonumber(maxAgeAt) >= 0 then
    maxAgeAt = toInteger(math.min(now + tonumber(maxAgeAt) - tonumber(createdAt), NEVER))
  end
  redis.call('HSET', KEYS[1], 'g', incarnation, 'v', version, 'c', toInteger(now), 'i', idleMs, 'm', maxAgeAt, 'd', entry[2])
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
return { 0, loadToken }
`,
)
