/**
 * The live session of an id: the hash KEYS[1], with its deadline in the sorted set KEYS[3].
 *
 * The fields of the hash, all times in epoch ms of the server:
 *
 * - `g` incarnation, `v` version (the name of the last save), `d` value
 * - `c` created, `a` last active, `i` idle timeout in ms or -1, `m` maximum-age deadline or -1
 * - `e` deadline; 0 once the session is sealed for its archive
 * - `lo`, `lu` token and end of the turn lock; `lq` the processes that wait for it; `ir` an interrupt is
 *   requested
 * - `h` holds, as `token=until …`
 * - `w`, `ws` recent saves
 * - `o` owner, see `storage/owner-text.ts`; absent if it has none
 * - `k` what the store has of the session, see `stored-state.ts`
 * - `sv`, `su` token and end of the lease of a write to the store while the session is live
 *
 * In replies, `state` is `o, v, c, a, i, m` in this order, where `o` is '' if there is no owner.
 *
 * - `lagMs`: how often activity is written at most. The deadline is later by as much, so that no session
 *   expires early.
 * - `deadlineOf`: the deadline; never before `leasedUntil`, since a held session does not expire, not even by
 *   age.
 * - `isActivityDue`: whether activity now is to be written.
 * - `heldUntil`: the latest end of the turn lock and the holds.
 * - `otherHolds`: the holds of other processes that have not lapsed, and how long one's own lasts, in ms.
 * - `isAdmitted`: whether a call for this owner, or for none, may use the session of another or of none.
 * - `isFull`: whether the shard has as many live sessions as it may; -1 is no limit.
 * - `indexDeadline`: writes the deadline beside the hash. `PEXPIREAT` comes first, because it needs no memory
 *   (`allowWhenFull`).
 * - `setDeadline`: writes activity and deadline.
 */
export const session = `
local id = ARGV[1]
local retentionMs = tonumber(ARGV[2])
local function lagMs(idleMs)
  if idleMs < 0 then
    return 1000
  end
  return math.max(1, math.min(math.floor(idleMs / 128), 1000))
end
local function deadlineOf(lastActiveAt, idleMs, maxAgeAt, leasedUntil)
  local expiresAt = NEVER
  if idleMs >= 0 then
    expiresAt = lastActiveAt + math.ceil(idleMs) + lagMs(idleMs)
  end
  if maxAgeAt >= 0 then
    expiresAt = math.min(expiresAt, maxAgeAt)
  end
  return math.min(math.max(expiresAt, leasedUntil), NEVER)
end
local function isActivityDue(lastActiveAt, idleMs)
  return now - lastActiveAt >= lagMs(idleMs)
end
local function heldUntil(lockUntil, holds)
  local latest = tonumber(lockUntil or 0)
  if not holds or holds == '' then
    return latest
  end
  for untilMs in string.gmatch(holds, '=(%d+)') do
    latest = math.max(latest, tonumber(untilMs))
  end
  return latest
end
local function otherHolds(holds, ownToken)
  local others, remainingMs = {}, 0
  for token, untilMs in string.gmatch(holds, '(%S+)=(%d+)') do
    if token == ownToken then
      remainingMs = tonumber(untilMs) - now
    elseif tonumber(untilMs) > now then
      others[#others + 1] = token .. '=' .. untilMs
    end
  end
  return others, remainingMs
end
local function isAdmitted(owner, sessionOwner)
  return owner == '' or owner == sessionOwner
end
local function isFull(capacity)
  return capacity >= 0 and redis.call('ZCOUNT', KEYS[3], '(' .. toInteger(now), '+inf') >= capacity
end
local function indexDeadline(incarnation, expiresAt)
  -- A turn may outlast the maximum age of its session: the retention starts when it ends.
  local remainingMs = math.max(expiresAt - now, 0)
  redis.call('PEXPIREAT', KEYS[1], toInteger(math.min(now + remainingMs + retentionMs, NEVER)))
  redis.call('ZADD', KEYS[3], toInteger(expiresAt), incarnation .. ':' .. id)
  extendIndexTtl(KEYS[3], remainingMs + retentionMs)
end
local function setDeadline(incarnation, lastActiveAt, expiresAt)
  indexDeadline(incarnation, expiresAt)
  redis.call('HSET', KEYS[1], 'a', toInteger(lastActiveAt), 'e', toInteger(expiresAt))
end
`
