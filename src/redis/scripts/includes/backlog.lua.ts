import { lease } from './lease.lua.ts'

/**
 * The backlog of an id: its older incarnations, in the hash KEYS[2].
 *
 * - `<incarnation>:d`: its value.
 * - `<incarnation>:m`: its times `v, c, a, i, m`, see `session.lua.ts`; of a dead letter also attempts,
 *   failure time and reason.
 * - `<incarnation>:ow`: its owner, if it has one.
 * - `<incarnation>:o`: its sequence number, greater for a younger one.
 * - `<incarnation>:k`: what the store has of it, see `stored-state.ts`.
 * - `<incarnation>:x`: present where it is no session, but a deletion from the store. It waits in `q` like
 *   the others, so that no process loads the id before it is done.
 * - `q`: the incarnations that wait to be archived, oldest first. Only the first may be in the queue KEYS[4],
 *   so that archives of one id neither overlap nor overtake each other.
 * - `z`: the dead letters.
 * - `n`: the greatest sequence number. It also grows when an incarnation begins or the id is deleted while
 *   there are dead letters: only a dead letter with this very number is the newest state of its id.
 * - `ok`: the number below which incarnations are superseded: a younger one was archived, or the id was
 *   deleted.
 * - `ld`: the name of the state that a process loads or has loaded. It is removed when an incarnation begins
 *   or is archived, and when the id is deleted: what was loaded before is stale then.
 *
 * Functions that need an explanation:
 *
 * - `promoteNext`: lets the first of the backlog be claimed.
 * - `moveToBacklog`: moves an expired incarnation from KEYS[1] here. One that is being archived goes first.
 *   One that was claimed and not loaded, and so is not sealed, waits like any other.
 * - `appendState`: appends to a reply the state of an incarnation that is here; of a dead letter also its
 *   failure.
 * - `carried`: the write to the store that may still be under way for an incarnation which left KEYS[1]: the
 *   next one there carries its lease.
 * - `pendingDeletion`: the deletion of the id that waits or is under way, or nil.
 * - `releaseDeletion`: lets a deletion be claimed that has waited for the write under this token.
 * - `dropOldDeadLetters`: drops dead letters past their retention, however long newer ones keep the hash.
 * - `newestDeadLetter`: the dead letter that is the newest state of its id, or nil. `findNewestDeadLetter` is
 *   the same and writes nothing.
 * - `deleteIfEmpty`: deletes the hash when it has no incarnation left and none is being loaded.
 * - `rememberEnded`: remembers an incarnation that ended soon after its creation, so that a repeated creation
 *   does not bring it back.
 */
export const backlog = `${lease}local function getNames(field)
  return redis.call('HGET', KEYS[2], field) or ''
end
local function setNames(field, names)
  if names == '' then
    redis.call('HDEL', KEYS[2], field)
  else
    redis.call('HSET', KEYS[2], field, names)
  end
end
local function joinNames(first, second)
  if first == '' or second == '' then
    return first .. second
  end
  return first .. ' ' .. second
end
local function withoutName(names, incarnation)
  local remaining = {}
  for name in string.gmatch(names, '%S+') do
    if name ~= incarnation then
      remaining[#remaining + 1] = name
    end
  end
  return table.concat(remaining, ' ')
end
local function firstName(names)
  return string.match(names, '^%S+')
end
local function hasBacklog()
  return redis.call('HEXISTS', KEYS[2], 'q') == 1 or redis.call('HEXISTS', KEYS[2], 'z') == 1
end
local function nextSequence()
  return redis.call('HINCRBY', KEYS[2], 'n', 1)
end
local function supersedeUpTo(sequence)
  if sequence > tonumber(redis.call('HGET', KEYS[2], 'ok') or 0) then
    redis.call('HSET', KEYS[2], 'ok', toInteger(sequence))
  end
end
local function isSuperseded(incarnation)
  local sequence = redis.call('HGET', KEYS[2], incarnation .. ':o')
  return sequence and tonumber(sequence) < tonumber(redis.call('HGET', KEYS[2], 'ok') or 0)
end
local function removeFromQueue(incarnation)
  redis.call('ZREM', KEYS[3], memberOf(incarnation))
  redis.call('ZREM', KEYS[4], memberOf(incarnation))
  redis.call('HDEL', KEYS[5], memberOf(incarnation))
  leases[memberOf(incarnation)] = nil
end
local function promoteNext()
  local first = firstName(getNames('q'))
  if first and not redis.call('ZSCORE', KEYS[4], memberOf(first)) then
    redis.call('ZADD', KEYS[4], toInteger(now), memberOf(first))
    extendIndexTtl(KEYS[4], retentionMs)
  end
end
local function createdAtOf(times)
  return string.match(times, '^%S+ (%S+)')
end
local function appendState(reply, times, owner)
  reply[#reply + 1] = owner or ''
  for part in string.gmatch(times, '%S+') do
    reply[#reply + 1] = part
  end
end
local carried
local function carrySave()
  carried = redis.call('HMGET', KEYS[1], 'sv', 'su')
end
local function copyToBacklog(failure)
  local fields = redis.call('HMGET', KEYS[1], 'g', 'd', 'v', 'c', 'a', 'i', 'm', 'k', 'o')
  local times = table.concat(fields, ' ', 3, 7)
  redis.call('HSET', KEYS[2], fields[1] .. ':d', fields[2], fields[1] .. ':m', times .. failure, fields[1] .. ':o', nextSequence())
  if fields[8] then
    redis.call('HSET', KEYS[2], fields[1] .. ':k', fields[8])
  end
  if fields[9] then
    redis.call('HSET', KEYS[2], fields[1] .. ':ow', fields[9])
  end
  carrySave()
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[3], memberOf(fields[1]))
end
local function deleteEntry(incarnation)
  redis.call('HDEL', KEYS[2], incarnation .. ':d', incarnation .. ':m', incarnation .. ':o', incarnation .. ':k', incarnation .. ':x', incarnation .. ':ow')
end
local function pendingDeletion()
  for name in string.gmatch(getNames('q'), '%S+') do
    if redis.call('HEXISTS', KEYS[2], name .. ':x') == 1 then
      return name
    end
  end
end
local function releaseDeletion(writer)
  local deletion = pendingDeletion()
  if not deletion then
    return false
  end
  local token, phase, attempts = leaseOf(deletion)
  if phase ~= 'w' or token ~= writer then
    return false
  end
  setLease(deletion, '', '', attempts)
  redis.call('ZADD', KEYS[4], toInteger(now), memberOf(deletion))
  return true
end
local function moveToBacklog(incarnation)
  local isSealed = redis.call('HGET', KEYS[1], 'e') == '0'
  copyToBacklog('')
  if isSealed and isLeased(incarnation) then
    setNames('q', joinNames(incarnation, getNames('q')))
  else
    setNames('q', joinNames(getNames('q'), incarnation))
  end
  promoteNext()
  extendTtl(KEYS[2], retentionMs)
end
local function removeFromBacklog(incarnation)
  deleteEntry(incarnation)
  setNames('q', withoutName(getNames('q'), incarnation))
end
local function dropOldDeadLetters()
  local names = getNames('z')
  if names == '' then
    return
  end
  local remaining = names
  for incarnation in string.gmatch(names, '%S+') do
    local failedAt = redis.call('ZSCORE', KEYS[6], memberOf(incarnation))
    if not failedAt or tonumber(failedAt) <= now - retentionMs then
      deleteEntry(incarnation)
      redis.call('ZREM', KEYS[6], memberOf(incarnation))
      remaining = withoutName(remaining, incarnation)
    end
  end
  if remaining ~= names then
    setNames('z', remaining)
  end
end
local function findNewestDeadLetter()
  local names, newestSequence = getNames('z'), redis.call('HGET', KEYS[2], 'n')
  if names == '' or not newestSequence or getNames('q') ~= '' then
    return nil
  end
  for incarnation in string.gmatch(names, '%S+') do
    if redis.call('HGET', KEYS[2], incarnation .. ':o') == newestSequence then
      local failedAt = redis.call('ZSCORE', KEYS[6], memberOf(incarnation))
      return failedAt and tonumber(failedAt) > now - retentionMs and incarnation
    end
  end
end
local function newestDeadLetter()
  dropOldDeadLetters()
  return findNewestDeadLetter()
end
local function deleteIfEmpty()
  if not hasBacklog() and redis.call('HEXISTS', KEYS[2], 'ld') == 0 then
    redis.call('DEL', KEYS[2])
  end
end
local function invalidateLoads()
  if redis.call('HDEL', KEYS[2], 'ld') == 1 then
    deleteIfEmpty()
  end
end
local function rememberOperations(operations)
  local entries, forgottenAt = {}, toInteger(now + operationTtlMs)
  for _, operation in ipairs(operations) do
    entries[#entries + 1] = forgottenAt
    entries[#entries + 1] = operation
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', toInteger(now))
  redis.call('ZADD', KEYS[7], unpack(entries))
  redis.call('PEXPIRE', KEYS[7], operationTtlMs)
end
local function mayBeRepeated(createdAt)
  return now - tonumber(createdAt) < operationTtlMs
end
local function rememberEnded(incarnation, createdAt)
  if mayBeRepeated(createdAt) then
    rememberOperations({ incarnation })
  end
end
`
