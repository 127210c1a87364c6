import { lease } from './lease.lua.ts'

/**
 * The older lives of an id: a hash under `KEYS[2]`.
 *
 * `<g>:d` is the value of a life, `<g>:m` its times, and `<g>:o` its number: a younger life has a greater
 * one. `q` names those that wait to be archived, in order, and `z` those on the dead list. Only the first in
 * line may be in the queue under `KEYS[4]`, so that the archives of one id neither overlap nor overtake.
 *
 * `n` is the greatest number that was given. It also grows as a life begins or the id is deleted while there
 * are dead lives: only a dead life with that very number is the newest state of its id. Lives with a number
 * below `ok` have been overtaken: a younger one was archived, or the id was deleted.
 *
 * `ld` names the state that a process loads, or has loaded, until a life of the id begins or is archived, or
 * the id is deleted: what was loaded before is old then.
 *
 * - `moveToBacklog`: moves the life under `KEYS[1]`, which is over, to the older ones. One that is being
 *   archived goes first; one that was claimed but not loaded yet, and so is not sealed, waits like any other.
 * - `promoteNext`: the first in line may be claimed.
 * - `dropOldDeadLetters`: lives that were given up longer ago than the retention go, however long newer ones
 *   keep the hash.
 * - `newestDeadLetter`: the dead life that is the newest state of its id, if there is one.
 * - `deleteIfEmpty`: the hash goes when the last life has left it, and none is loaded.
 * - `rememberEnded`: remembers a life that did not live long, so that a repeated creation does not bring it
 *   back.
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
local function hasOlder()
  return redis.call('HEXISTS', KEYS[2], 'q') == 1 or redis.call('HEXISTS', KEYS[2], 'z') == 1
end
local function nextSequence()
  return redis.call('HINCRBY', KEYS[2], 'n', 1)
end
local function supersedeUpTo(number)
  if number > tonumber(redis.call('HGET', KEYS[2], 'ok') or 0) then
    redis.call('HSET', KEYS[2], 'ok', toInteger(number))
  end
end
local function isSuperseded(incarnation)
  local number = redis.call('HGET', KEYS[2], incarnation .. ':o')
  return number and tonumber(number) < tonumber(redis.call('HGET', KEYS[2], 'ok') or 0)
end
local function removeFromQueue(incarnation)
  redis.call('ZREM', KEYS[3], memberOf(incarnation))
  redis.call('ZREM', KEYS[4], memberOf(incarnation))
  redis.call('HDEL', KEYS[5], memberOf(incarnation))
end
local function promoteNext()
  local first = firstName(getNames('q'))
  if first and not redis.call('ZSCORE', KEYS[4], memberOf(first)) then
    redis.call('ZADD', KEYS[4], toInteger(now), memberOf(first))
    extendIndexTtl(KEYS[4], retentionMs)
  end
end
local function copyToBacklog(extra)
  local fields = redis.call('HMGET', KEYS[1], 'g', 'd', 'v', 'c', 'a', 'i', 'm')
  local meta = table.concat({ fields[3], fields[4], fields[5], fields[6], fields[7] }, ' ')
  redis.call('HSET', KEYS[2], fields[1] .. ':d', fields[2], fields[1] .. ':m', meta .. extra, fields[1] .. ':o', nextSequence())
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[3], memberOf(fields[1]))
end
local function deleteEntry(incarnation)
  redis.call('HDEL', KEYS[2], incarnation .. ':d', incarnation .. ':m', incarnation .. ':o')
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
local function newestDeadLetter()
  dropOldDeadLetters()
  local names, newestNumber = getNames('z'), redis.call('HGET', KEYS[2], 'n')
  if names == '' or not newestNumber or getNames('q') ~= '' then
    return nil
  end
  for incarnation in string.gmatch(names, '%S+') do
    if redis.call('HGET', KEYS[2], incarnation .. ':o') == newestNumber then
      return incarnation
    end
  end
end
local function deleteIfEmpty()
  if not hasOlder() and redis.call('HEXISTS', KEYS[2], 'ld') == 0 then
    redis.call('DEL', KEYS[2])
  end
end
local function invalidateLoads()
  if redis.call('HDEL', KEYS[2], 'ld') == 1 then
    deleteIfEmpty()
  end
end
local function rememberOperation(what)
  redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', toInteger(now))
  redis.call('ZADD', KEYS[7], toInteger(now + operationTtlMs), what)
  redis.call('PEXPIRE', KEYS[7], operationTtlMs)
end
local function rememberEnded(incarnation, createdAt)
  if now - tonumber(createdAt) < operationTtlMs then
    rememberOperation(incarnation)
  end
end
`
