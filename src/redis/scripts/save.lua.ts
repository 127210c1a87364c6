import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Begins a write of the live session to the store, under a lease. It is not activity.
 *
 * Until the write ends or its lease lapses, neither an archive nor a deletion of the id begins: the older
 * state would come after the newer one. So it does not begin itself while an older incarnation waits.
 *
 * KEYS session, backlog, deadlines
 * ARGV id, retentionMs, token, leaseMs, incarnation of the turn that the caller is a part of, or ''
 *
 * Reply:
 * - `{0}`: there is no live session.
 * - `{1, now, incarnation, state, isHeld, k, value}`: begun.
 * - `{2}`: a turn is running, an older incarnation waits, or another write is under way.
 */
export const beginSave = new Script(
  'begin-save',
  session,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'k', 'd', 'lu', 'h', 'sv', 'su', 'o')
local incarnation, token, ownIncarnation = fields[1], ARGV[3], ARGV[5]
if not incarnation or now >= tonumber(fields[2]) or (ownIncarnation ~= '' and ownIncarnation ~= incarnation) then
  return { 0 }
end
local lockUntil, isSaving = tonumber(fields[10] or 0), tonumber(fields[13] or 0) > now
if isSaving and fields[12] ~= token or redis.call('HEXISTS', KEYS[2], 'q') == 1 then
  return { 2 }
end
if ownIncarnation == '' and lockUntil > now then
  return { 2 }
end
redis.call('HSET', KEYS[1], 'sv', token, 'su', toInteger(now + tonumber(ARGV[4])))
local storedState = fields[8] or ''
if storedState ~= '' then
  -- From now on the store may have either state.
  storedState = string.match(storedState, '^[^\\n]*')
  redis.call('HSET', KEYS[1], 'k', storedState)
end
local isHeld = heldUntil(lockUntil, fields[11] or '') > now and 1 or 0
return { 1, now, incarnation, fields[14] or '', fields[3], fields[4], fields[5], fields[6], fields[7], isHeld, storedState, fields[9] }
`,
)

/**
 * Ends a write to the store: of a live session, or of an archive whose incarnation was deleted meanwhile.
 * What waits for it may begin.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations
 * ARGV id, retentionMs, token, incarnation, `k` or '' if nothing was written
 *
 * Reply: `{isLive, isReleased}`. `isLive`: the incarnation is live. `isReleased`: something has waited.
 */
export const endWrite = new Script(
  'end-write',
  session,
  backlog,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'sv')
local incarnation, isLive, isReleased = fields[1], 0, 0
allowWhenFull(KEYS[2])
if fields[3] == ARGV[3] then
  redis.call('HDEL', KEYS[1], 'sv', 'su')
  local waiting = firstName(getNames('q')) or incarnation
  if redis.call('ZSCORE', KEYS[4], memberOf(waiting)) and leaseOf(waiting) == '' then
    redis.call('ZADD', KEYS[4], toInteger(now), memberOf(waiting))
    isReleased = 1
  end
end
if releaseDeletion(ARGV[3]) then
  isReleased = 1
end
if incarnation and incarnation == ARGV[4] then
  if ARGV[5] ~= '' then
    redis.call('HSET', KEYS[1], 'k', ARGV[5])
  end
  if now < tonumber(fields[2]) then
    isLive = 1
  end
end
return { isLive, isReleased }
`,
)
