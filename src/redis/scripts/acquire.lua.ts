import { Script } from '../client/script.ts'
import { foundSession } from './includes/found-session.lua.ts'
import { session } from './includes/session.lua.ts'
import { waiters } from './includes/waiters.lua.ts'

/**
 * Takes the turn lock of the live session of an id, or a hold, and touches and reads the session.
 *
 * `flags`: `l` take the turn lock; `h` take a hold; `d` return the value, unless the caller has that version,
 * or the lock was not free; `w` wait for the lock; `i` request that the running turn stops. A free lock goes
 * to the first waiting process; an interrupting caller goes ahead of all. Repeated with the same token, it
 * takes nothing twice.
 *
 * A call for another owner changes nothing of the session, except that a lock under its token is released: an
 * earlier call of the process took it, and got no reply.
 *
 * KEYS session, backlog, deadlines
 * ARGV id, retentionMs, flags, known `incarnation:version` or '', owner or '', token, leaseMs
 *
 * Reply: see `found-session.lua.ts`.
 */
export const acquire = new Script(
  'acquire',
  session,
  foundSession,
  waiters,
  `
local flags = ARGV[3]
local function has(flag)
  return string.find(flags, flag, 1, true) ~= nil
end
local fields = redis.call('HMGET', KEYS[1], 'g', 'v', 'c', 'a', 'e', 'i', 'm', 'lu', 'h', 'o', 'lo', 'lq', 'ir')
if not isLive(fields) then
  return absentReply(fields)
end
local lastActiveAt, idleMs, maxAgeAt = tonumber(fields[4]), tonumber(fields[6]), tonumber(fields[7])
local lockUntil, holds = tonumber(fields[8] or 0), fields[9] or ''
local token, leaseMs, ownsLock = ARGV[6], tonumber(ARGV[7]), fields[11] == ARGV[6]
if not isAdmitted(ARGV[5], fields[10]) then
  if has('l') and ownsLock then
    redis.call('HDEL', KEYS[1], 'lo', 'lu', 'ir')
    setDeadline(fields[1], lastActiveAt, deadlineOf(lastActiveAt, idleMs, maxAgeAt, heldUntil(0, holds)))
  end
  return { 2, now }
end
local isAcquired, written = false, nil
local waiting, ownIndex, remainingMs = readWaiters(fields[12], token)
if has('h') then
  isAcquired = true
  local others, ownMs = otherHolds(holds, token)
  -- One hold serves all users of a session in a process, so most of them find it taken.
  if ownMs < leaseMs / 2 then
    others[#others + 1] = token .. '=' .. toInteger(now + leaseMs)
    holds = table.concat(others, ' ')
    written = { 'h', holds }
  end
elseif ownsLock or (lockUntil <= now and (ownIndex == 1 or #waiting == 0 or has('i'))) then
  isAcquired, lockUntil = true, now + leaseMs
  written = { 'lo', token, 'lu', toInteger(lockUntil) }
end
if isActivityDue(lastActiveAt, idleMs) then
  lastActiveAt = now
end
local leasedUntil = heldUntil(lockUntil, holds)
local expiresAt = deadlineOf(lastActiveAt, idleMs, maxAgeAt, leasedUntil)
if written and expiresAt ~= tonumber(fields[5]) then
  redis.call('HSET', KEYS[1], 'a', toInteger(lastActiveAt), 'e', toInteger(expiresAt), unpack(written))
  indexDeadline(fields[1], expiresAt)
elseif written then
  redis.call('HSET', KEYS[1], unpack(written))
elseif lastActiveAt == now then
  setDeadline(fields[1], lastActiveAt, expiresAt)
end
if isAcquired and has('l') then
  if fields[13] then
    redis.call('HDEL', KEYS[1], 'ir')
  end
  if ownIndex then
    table.remove(waiting, ownIndex)
  end
  if fields[12] then
    writeWaiters(waiting)
  end
elseif has('l') then
  if has('i') and lockUntil > now then
    redis.call('HSET', KEYS[1], 'ir', '1')
  end
  if has('w') and remainingMs < waiterTtlMs * 3 / 4 then
    local waiter = token .. '=' .. toInteger(now + waiterTtlMs)
    if ownIndex then
      waiting[ownIndex] = waiter
    else
      table.insert(waiting, has('i') and 1 or #waiting + 1, waiter)
    end
    writeWaiters(waiting)
  end
end
local value
if isAcquired and has('d') then
  value = unknownValue(fields, ARGV[4])
end
return liveReply(fields, toInteger(lastActiveAt), leasedUntil > now, isAcquired, value)
`,
)
