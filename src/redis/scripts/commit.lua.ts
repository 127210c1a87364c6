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
local fields = redis.call('HMGET', KEYS[1], 'g', 'v', 'e', 'i', 'm', 'lo', 'lu', 'h', 'w', 'ws')
local incarnation, version = fields[1], fields[2]
if incarnation ~= ARGV[3] then
  return { -1 }
end
local token, operation, hasChanged, value = ARGV[4], ARGV[6], ARGV[7] == '1', ARGV[8]
local recent = recentSaves(fields[9], fields[10])
if wasSaved(recent, operation) then
  return { 2 }
end
if now >= tonumber(fields[3]) then
  return { 0 }
end
local lockToken, lockUntil, holds = fields[6] or '', tonumber(fields[7] or 0), fields[8] or ''
if ARGV[5] == 'l' then
  if lockToken ~= token then
    return { 0 }
  end
  lockUntil = 0
elseif hasChanged and (lockUntil > now or version ~= ARGV[11]) then
  hasChanged = false
  operation = ''
end
if hasChanged then
  redis.call('HSET', KEYS[1], 'd', value, 'v', operation)
else
  allowWhenFull(KEYS[1])
end
if ARGV[5] == 'l' then
  redis.call('HDEL', KEYS[1], 'lo', 'lu', 'ir')
elseif ARGV[5] == 'h' then
  holds = table.concat(otherHolds(holds, token), ' ')
  redis.call('HSET', KEYS[1], 'h', holds)
end
local idleMs = fields[4]
if ARGV[9] ~= '' and operation ~= '' then
  idleMs = ARGV[9]
  redis.call('HSET', KEYS[1], 'i', idleMs)
end
if ARGV[10] == '=' and operation ~= '' then
  redis.call('HDEL', KEYS[1], 'o')
elseif ARGV[10] ~= '' and operation ~= '' then
  redis.call('HSET', KEYS[1], 'o', string.sub(ARGV[10], 2))
end
if operation ~= '' then
  recordSave(recent, operation)
end
local expiresAt = deadlineOf(now, tonumber(idleMs), tonumber(fields[5]), heldUntil(lockUntil, holds))
setDeadline(incarnation, now, expiresAt)
if operation == '' then
  return { 0 }
end
return { 1, expiresAt - now }
`,
)
