import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Begins a life named `ARGV[3]`; with a token, in the turn of its creator.
 *
 * `v` names the state that was saved last. It is never a counter: a server that has lost its last moments
 * would give the same number to another state.
 */
export const createSession = `
local function createSession(token, leaseMs)
  local idleMs, maxAge, maxAgeAt, lockUntil = tonumber(ARGV[5]), tonumber(ARGV[6]), -1, 0
  if maxAge >= 0 then
    maxAgeAt = math.min(now + math.ceil(maxAge) + 1, NEVER)
  end
  redis.call('HSET', KEYS[1], 'g', ARGV[3], 'v', ARGV[3], 'c', toInteger(now), 'i', ARGV[5], 'm', toInteger(maxAgeAt), 'd', ARGV[4])
  if token ~= '' then
    lockUntil = now + leaseMs
    redis.call('HSET', KEYS[1], 'lo', token, 'lu', toInteger(lockUntil))
  end
  invalidateLoads()
  if getNames('z') ~= '' then
    nextSequence()
  end
  setDeadline(ARGV[3], now, deadlineOf(now, idleMs, maxAgeAt, lockUntil))
  return { 1, now, toInteger(now), toInteger(maxAgeAt) }
end
`

/** Whether a creation that is repeated was carried out before, and its life has left `KEYS[1]` since. */
export const wasCreated = `
local function wasCreated(incarnation)
  return redis.call('ZSCORE', KEYS[7], incarnation) or redis.call('HEXISTS', KEYS[2], incarnation .. ':m') == 1
end
`

/**
 * Begins a life where there is none; an older one that is over moves aside.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, value, i, maxAgeMs or
 * -1, live sessions of the shard at the most or -1, token, leaseMs, loaded, `ld`
 *
 * Where the value was loaded (`ARGV[10]` is 1) it must be the newest state: no older life may be waiting to
 * be archived or be the newest dead one, and none may have begun or been archived, nor the id deleted, since
 * the load began.
 *
 * `{0, now}`: there is a live session, or a newer state than the loaded one. `{1, now, c, m}`: created, now
 * or by an earlier try of the same name. `{2, now}`: an earlier try has created it, and it has ended since.
 * `{3, now}`: the shard is full.
 */
export const create = new Script(
  'create',
  session,
  backlog,
  createSession,
  wasCreated,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'c', 'm')
if fields[1] == ARGV[3] then
  return { 1, now, fields[3], fields[4] }
end
if wasCreated(ARGV[3]) then
  return { 2, now }
end
if fields[1] and now < tonumber(fields[2]) then
  return { 0, now }
end
if ARGV[10] == '1' and (fields[1] or getNames('q') ~= '' or getNames('ld') ~= ARGV[11] or newestDeadLetter()) then
  return { 0, now }
end
if isFull(tonumber(ARGV[7])) then
  return { 3, now }
end
if fields[1] then
  moveToBacklog(fields[1])
end
return createSession(ARGV[8], tonumber(ARGV[9]))
`,
)
