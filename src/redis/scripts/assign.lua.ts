import { Script } from '../client/script.ts'
import { createSession, wasCreated } from './create.lua.ts'
import { backlog } from './includes/backlog.lua.ts'
import { saves } from './includes/saves.lua.ts'
import { session } from './includes/session.lua.ts'
import { waiters } from './includes/waiters.lua.ts'

/**
 * Assigns the value of the live session, as a short turn would; begins one where there is none.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, value, i, maxAgeMs or
 * -1, live sessions of the shard at the most or -1, operation
 *
 * `{0, now}`: a turn has the lock, or waits for it. `{1, now, c, m}`, `{2, now}`, `{3, now}`: as of a
 * creation. `{4, now, g, inMs}`: assigned; it is over in so many ms.
 */
export const assign = new Script(
  'assign',
  session,
  backlog,
  waiters,
  saves,
  createSession,
  wasCreated,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'c', 'm', 'i', 'lu', 'lq', 'h', 'w', 'ws')
local incarnation, operation = fields[1], ARGV[8]
if incarnation == ARGV[3] then
  return { 1, now, fields[3], fields[4] }
end
if wasCreated(ARGV[3]) then
  return { 2, now }
end
if incarnation and now < tonumber(fields[2]) then
  local recent = recentSaves(fields[9], fields[10])
  if not wasSaved(recent, operation) then
    if tonumber(fields[6] or 0) > now or #readWaiters(fields[7] or '', '') > 0 then
      return { 0, now }
    end
    redis.call('HSET', KEYS[1], 'd', ARGV[4], 'v', operation)
    recordSave(recent, operation)
  end
  local expiresAt = deadlineOf(now, tonumber(fields[5]), tonumber(fields[4]), heldUntil(tonumber(fields[6] or 0), fields[8] or ''))
  setDeadline(incarnation, now, expiresAt)
  return { 4, now, incarnation, expiresAt - now }
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
