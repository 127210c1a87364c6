import { Script } from '../client/script.ts'
import { foundSession } from './includes/found-session.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Reads the live session of an id, and with `touches` touches it. A call for another owner changes nothing.
 *
 * KEYS session, backlog, deadlines
 * ARGV id, retentionMs, touches, `incarnation:version` of the value that the caller has, '' for none, '-' if
 * it needs none, owner or ''
 *
 * Reply: see `found-session.lua.ts`; `isAcquired` is 0.
 */
export const read = new Script(
  'read',
  session,
  foundSession,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'v', 'c', 'a', 'e', 'i', 'm', 'lu', 'h', 'o')
if not isLive(fields) then
  return absentReply(fields)
end
if not isAdmitted(ARGV[5], fields[10]) then
  return { 2, now }
end
local leasedUntil, lastActiveAt = heldUntil(fields[8], fields[9]), fields[4]
if ARGV[3] == '1' and isActivityDue(lastActiveAt, tonumber(fields[6])) then
  local expiresAt = deadlineOf(now, tonumber(fields[6]), tonumber(fields[7]), leasedUntil)
  lastActiveAt = toInteger(now)
  setDeadline(fields[1], now, expiresAt)
end
local value
if ARGV[4] ~= '-' then
  value = unknownValue(fields, ARGV[4])
end
return liveReply(fields, lastActiveAt, leasedUntil > now, false, value)
`,
)
