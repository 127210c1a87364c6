import { Script } from '../client/script.ts'
import { saves } from './includes/saves.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Ends a turn or the use of a hold, and saves what it changed.
 *
 * `kind`: `l` releases the turn lock, `h` the hold of the process, `p` neither, since others still use the
 * hold.
 *
 * KEYS session, backlog, deadlines
 * ARGV id, retentionMs, incarnation, token, kind, operation, hasChanged, value, idle timeout in ms or '', '='
 * and the new owner or '', version that was read
 *
 * Reply:
 * - `{1, inMs}`: committed; the session expires in `inMs`. `operation` is the version of what was saved.
 * - `{2}`: committed by an earlier call.
 * - `{0}`: the lock is another's, or the value that was read without a lock has changed. Nothing was saved.
 * - `{-1}`: the incarnation has ended.
 */
export const commit = new Script(
  'commit',
  session,
  saves,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'v', 'e', 'i', 'm', 'lo', 'lu', 'h', 'w', 'ws', 'a')
local incarnation, version = fields[1], fields[2]
if incarnation ~= ARGV[3] then
  return { -1 }
end
local token, kind, operation, hasChanged, value = ARGV[4], ARGV[5], ARGV[6], ARGV[7] == '1', ARGV[8]
local recent = recentSaves(fields[9], fields[10])
if wasSaved(recent, operation) then
  return { 2 }
end
if now >= tonumber(fields[3]) then
  return { 0 }
end
local lockToken, lockUntil, holds = fields[6] or '', tonumber(fields[7] or 0), fields[8]
local isSaved = true
if kind == 'l' then
  if lockToken ~= token then
    return { 0 }
  end
  lockUntil = 0
elseif hasChanged and (lockUntil > now or version ~= ARGV[11]) then
  isSaved, hasChanged = false, false
end
local idleMs, written = fields[4], {}
local function write(field, text)
  written[#written + 1], written[#written + 2] = field, text
end
if hasChanged then
  written = { 'd', value, 'v', operation }
end
if kind == 'h' then
  holds = table.concat(otherHolds(holds or '', token), ' ')
  write('h', holds)
end
if isSaved then
  write('w', withSave(recent, operation))
  write('ws', toInteger(now))
  if ARGV[9] ~= '' then
    idleMs = ARGV[9]
    write('i', idleMs)
  end
  if ARGV[10] ~= '' and ARGV[10] ~= '=' then
    write('o', string.sub(ARGV[10], 2))
  end
end
local lastActiveAt = tonumber(fields[11])
if isActivityDue(lastActiveAt, tonumber(idleMs)) then
  lastActiveAt = now
end
local expiresAt = deadlineOf(lastActiveAt, tonumber(idleMs), tonumber(fields[5]), heldUntil(lockUntil, holds))
local isMoved = expiresAt ~= tonumber(fields[3])
if isMoved then
  write('a', toInteger(lastActiveAt))
  write('e', toInteger(expiresAt))
end
if not hasChanged then
  allowWhenFull(KEYS[1])
end
if #written > 0 then
  redis.call('HSET', KEYS[1], unpack(written))
end
if kind == 'l' then
  redis.call('HDEL', KEYS[1], 'lo', 'lu', 'ir')
end
if isSaved and ARGV[10] == '=' then
  redis.call('HDEL', KEYS[1], 'o')
end
if isMoved then
  indexDeadline(incarnation, expiresAt)
end
if not isSaved then
  return { 0 }
end
return { 1, expiresAt - now }
`,
)
