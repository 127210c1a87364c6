import { Script } from '../client/script.ts'
import { session } from './includes/session.lua.ts'

/**
 * Renews the turn lock (`kind` is `l`) or a hold (`h`).
 *
 * KEYS session, backlog, deadlines
 * ARGV id, retentionMs, incarnation, token, kind, leaseMs
 *
 * Reply:
 * - `{1, isInterrupted}`: renewed; `isInterrupted` is 1 if the turn should stop.
 * - `{0}`: lost.
 * - `{-1}`: the incarnation has ended.
 */
export const renew = new Script(
  'renew',
  session,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'i', 'm', 'lo', 'lu', 'h', 'ir')
if fields[1] ~= ARGV[3] then
  return { -1 }
end
allowWhenFull(KEYS[1])
local token, untilMs = ARGV[4], now + tonumber(ARGV[6])
if now >= tonumber(fields[2]) then
  return { 0 }
end
local lockUntil, holds, isInterrupted = tonumber(fields[6] or 0), fields[7] or '', 0
if ARGV[5] == 'l' then
  if fields[5] ~= token then
    return { 0 }
  end
  lockUntil = untilMs
  redis.call('HSET', KEYS[1], 'lu', toInteger(lockUntil))
  isInterrupted = tonumber(fields[8] or 0)
else
  if not string.find(' ' .. holds, ' ' .. token .. '=', 1, true) then
    return { 0 }
  end
  local others = otherHolds(holds, token)
  others[#others + 1] = token .. '=' .. toInteger(untilMs)
  holds = table.concat(others, ' ')
  redis.call('HSET', KEYS[1], 'h', holds)
end
setDeadline(fields[1], now, deadlineOf(now, tonumber(fields[3]), tonumber(fields[4]), heldUntil(lockUntil, holds)))
return { 1, isInterrupted }
`,
)
