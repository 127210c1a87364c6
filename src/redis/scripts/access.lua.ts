import { Script } from '../client/script.ts'
import { session } from './includes/session.lua.ts'
import { waiters } from './includes/waiters.lua.ts'

/**
 * Reads the live session of an id, and with `flags` also touches it or takes it.
 *
 * A call for another owner changes nothing of the session, except that a lock under its token is released: an
 * earlier call of the process took it, and got no reply.
 *
 * `flags`: `t` touch; `d` return the value, unless the caller has that version; `l` take the turn lock; `h`
 * take a hold; `w` wait for the lock; `i` request that the running turn stops. A free lock goes to the first
 * waiting process; an interrupting caller goes ahead of all. Repeated with the same token, it takes nothing
 * twice.
 *
 * KEYS session, backlog, deadlines
 * ARGV id, retentionMs, known `incarnation:version` or '', flags, token, leaseMs, owner or ''
 *
 * Reply:
 * - `{0, now, awaitsArchive}`: there is no live session; `awaitsArchive` is 1 while an older incarnation is
 *   not archived.
 * - `{1, now, incarnation, state, isHeld, isAcquired, isSent, value}`: live.
 * - `{2, now}`: live, and another's than the owner's.
 */
export const access = new Script(
  'access',
  session,
  waiters,
  `
local flags = ARGV[4]
local function has(flag)
  return string.find(flags, flag, 1, true) ~= nil
end
local fields = redis.call('HMGET', KEYS[1], 'g', 'v', 'c', 'a', 'e', 'i', 'm', 'lo', 'lu', 'h', 'lq', 'o')
local incarnation = fields[1]
if not incarnation or now >= tonumber(fields[5]) then
  local awaitsArchive = 0
  if incarnation or redis.call('HEXISTS', KEYS[2], 'q') == 1 then
    awaitsArchive = 1
  end
  return { 0, now, awaitsArchive }
end
local lastActiveAt, idleMs, maxAgeAt = tonumber(fields[4]), tonumber(fields[6]), tonumber(fields[7])
local lockToken, lockUntil, holds = fields[8] or '', tonumber(fields[9] or 0), fields[10] or ''
local token, leaseMs = ARGV[5], tonumber(ARGV[6])
if not isAdmitted(ARGV[7], fields[12]) then
  if has('l') and lockToken == token then
    redis.call('HDEL', KEYS[1], 'lo', 'lu', 'ir')
    setDeadline(incarnation, lastActiveAt, deadlineOf(lastActiveAt, idleMs, maxAgeAt, heldUntil(0, holds)))
  end
  return { 2, now }
end
local acquired, written = 0, false
if has('l') then
  local waiters, ownIndex, remainingMs = readWaiters(fields[11] or '', token)
  if lockToken == token or (lockUntil <= now and (ownIndex == 1 or #waiters == 0 or has('i'))) then
    acquired, written = 1, true
    lockUntil = now + leaseMs
    redis.call('HSET', KEYS[1], 'lo', token, 'lu', toInteger(lockUntil))
    redis.call('HDEL', KEYS[1], 'ir')
    if ownIndex then
      table.remove(waiters, ownIndex)
    end
    if fields[11] then
      writeWaiters(waiters)
    end
  else
    if has('i') and lockUntil > now then
      redis.call('HSET', KEYS[1], 'ir', '1')
    end
    if has('w') and remainingMs < waiterTtlMs * 3 / 4 then
      local waiter = token .. '=' .. toInteger(now + waiterTtlMs)
      if ownIndex then
        waiters[ownIndex] = waiter
      else
        table.insert(waiters, has('i') and 1 or #waiters + 1, waiter)
      end
      writeWaiters(waiters)
    end
  end
elseif has('h') then
  acquired = 1
  local others, remainingMs = otherHolds(holds, token)
  -- One hold serves all users of a session in a process, so most of them find it taken.
  if remainingMs < leaseMs / 2 then
    written = true
    others[#others + 1] = token .. '=' .. toInteger(now + leaseMs)
    holds = table.concat(others, ' ')
    redis.call('HSET', KEYS[1], 'h', holds)
  end
end
local leasedUntil = heldUntil(lockUntil, holds)
if written or (has('t') and now - lastActiveAt >= lagMs(idleMs)) then
  lastActiveAt = now
  setDeadline(incarnation, lastActiveAt, deadlineOf(lastActiveAt, idleMs, maxAgeAt, leasedUntil))
end
local sent, value = 0, ''
if has('d') and (acquired == 1 or not has('l')) and ARGV[3] ~= incarnation .. ':' .. fields[2] then
  sent, value = 1, redis.call('HGET', KEYS[1], 'd')
end
local isHeld = 0
if leasedUntil > now then
  isHeld = 1
end
return { 1, now, incarnation, fields[12] or '', fields[2], fields[3], toInteger(lastActiveAt), fields[6], fields[7], isHeld, acquired, sent, value }
`,
)
