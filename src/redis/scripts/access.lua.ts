import { Script } from '../client/script.ts'
import { session } from './includes/session.lua.ts'
import { waiters } from './includes/waiters.lua.ts'

/**
 * Reads the live session, and as `flags` say touches it (`t`), sends its value (`d`) unless the caller knows
 * that version, takes its turn lock (`l`) or a hold (`h`) under a token, waits for the lock (`w`), or asks
 * the one who has the lock to stop (`i`).
 *
 * A lock that is free goes to the first of those who wait; a caller who interrupts goes ahead of them.
 *
 * KEYS session, older, deadlines · ARGV id, retentionMs, known `g:v`, flags, token, leaseMs
 *
 * `{0, now, waits}`: there is none; `waits` is 1 while an older life is not archived yet.
 * `{1, now, g, v, c, a, i, m, held, taken, sent, value}`: it lives.
 *
 * Repeated with the same token it takes nothing twice.
 */
export const access = new Script(
  'access',
  session,
  waiters,
  `
local flags = ARGV[4]
local function is(flag)
  return string.find(flags, flag, 1, true) ~= nil
end
local fields = redis.call('HMGET', KEYS[1], 'g', 'v', 'c', 'a', 'e', 'i', 'm', 'lo', 'lu', 'h', 'lq')
local incarnation = fields[1]
if not incarnation or now >= tonumber(fields[5]) then
  local waits = 0
  if incarnation or redis.call('HEXISTS', KEYS[2], 'q') == 1 then
    waits = 1
  end
  return { 0, now, waits }
end
local lastActiveAt, idleMs, maxAgeAt = tonumber(fields[4]), tonumber(fields[6]), tonumber(fields[7])
local lockToken, lockUntil, holds = fields[8] or '', tonumber(fields[9] or 0), fields[10] or ''
local token, leaseMs = ARGV[5], tonumber(ARGV[6])
local acquired, written = 0, false
if is('l') then
  local waiters, ownIndex, remainingMs = readWaiters(fields[11] or '', token)
  if lockToken == token or (lockUntil <= now and (ownIndex == 1 or #waiters == 0 or is('i'))) then
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
    if is('i') and lockUntil > now then
      redis.call('HSET', KEYS[1], 'ir', '1')
    end
    if is('w') and remainingMs < waiterTtlMs * 3 / 4 then
      local waiter = token .. '=' .. toInteger(now + waiterTtlMs)
      if ownIndex then
        waiters[ownIndex] = waiter
      else
        table.insert(waiters, is('i') and 1 or #waiters + 1, waiter)
      end
      writeWaiters(waiters)
    end
  end
elseif is('h') then
  acquired = 1
  local others, remainingMs = otherHolds(holds, token)
  -- One hold of a process serves all who hold the session there: most of them find it taken.
  if remainingMs < leaseMs / 2 then
    written = true
    others[#others + 1] = token .. '=' .. toInteger(now + leaseMs)
    holds = table.concat(others, ' ')
    redis.call('HSET', KEYS[1], 'h', holds)
  end
end
local held = heldUntil(lockUntil, holds)
if written or (is('t') and now - lastActiveAt >= lagMs(idleMs)) then
  lastActiveAt = now
  setDeadline(incarnation, lastActiveAt, deadlineOf(lastActiveAt, idleMs, maxAgeAt, held))
end
local sent, value = 0, ''
if is('d') and (acquired == 1 or not is('l')) and ARGV[3] ~= incarnation .. ':' .. fields[2] then
  sent, value = 1, redis.call('HGET', KEYS[1], 'd')
end
local isHeld = 0
if held > now then
  isHeld = 1
end
return { 1, now, incarnation, fields[2], fields[3], toInteger(lastActiveAt), fields[6], fields[7], isHeld, acquired, sent, value }
`,
)
