import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { creation } from './includes/creation.lua.ts'
import { saves } from './includes/saves.lua.ts'
import { session } from './includes/session.lua.ts'
import { waiters } from './includes/waiters.lua.ts'

/**
 * Assigns the value of the live session, as a short turn would; creates one where there is none.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations
 * ARGV id, retentionMs, incarnation, value, idle timeout in ms or -1, maxAgeMs or -1, live sessions per shard
 * or -1, owner or '', states whose owner matters, operation
 *
 * Reply:
 * - `{0, now}`: a turn has the lock or waits for it.
 * - `{1, now, created, maximum-age deadline}`, `{2, now}`, `{3, now}`: those of `create`.
 * - `{4, now, incarnation, inMs}`: assigned; the session expires in `inMs`.
 * - `{5, now}`, `{6, now}`: the session is another's, or may be: `refusalFor`.
 */
export const assign = new Script(
  'assign',
  session,
  backlog,
  waiters,
  saves,
  creation,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'c', 'm', 'i', 'lu', 'lq', 'h', 'w', 'ws', 'o')
local incarnation, operation = fields[1], ARGV[10]
if incarnation == ARGV[3] then
  return { 1, now, fields[3], fields[4] }
end
if wasCreated(ARGV[3]) then
  return { 2, now }
end
if incarnation and now < tonumber(fields[2]) then
  local recent = recentSaves(fields[9], fields[10])
  if not wasSaved(recent, operation) then
    if not isAdmitted(ARGV[8], fields[11]) then
      return { 5, now }
    end
    if tonumber(fields[6] or 0) > now or #readWaiters(fields[7], '') > 0 then
      return { 0, now }
    end
    redis.call('HSET', KEYS[1], 'd', ARGV[4], 'v', operation, 'w', withSave(recent, operation), 'ws', toInteger(now))
  end
  local expiresAt = deadlineOf(now, tonumber(fields[5]), tonumber(fields[4]), heldUntil(fields[6], fields[8]))
  setDeadline(incarnation, now, expiresAt)
  return { 4, now, incarnation, expiresAt - now }
end
local refusal = refusalFor(incarnation)
if refusal then
  return { refusal, now }
end
if isFull(tonumber(ARGV[7])) then
  return { 3, now }
end
if incarnation then
  moveToBacklog(incarnation)
end
return createSession('', 0)
`,
)
