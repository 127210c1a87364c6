import { lease } from './lease.lua.ts'

/**
 * The older lives of an id: a hash under `KEYS[2]`.
 *
 * `<g>:d` is the value of a life, `<g>:m` its times, and `<g>:o` its number: a younger life has a greater one. `q` names
 * those that wait to be archived, in order, and `z` those on the dead list. Only the first in line may be in the queue
 * under `KEYS[4]`, so that the archives of one id neither overlap nor overtake.
 *
 * `n` is the greatest number that was given. It also grows as a life begins or the id is deleted while there are dead lives:
 * only a dead life with that very number is the newest state of its id. Lives with a number below `ok` have been overtaken:
 * a younger one was archived, or the id was deleted.
 *
 * `ld` names the state that a process loads, or has loaded, until a life of the id begins or is archived, or the id is
 * deleted: what was loaded before is old then.
 *
 * - `shelve`: moves the life under `KEYS[1]`, which is over, to the older ones. One that is being archived goes first;
 *   one that was claimed but not loaded yet, and so is not sealed, waits like any other.
 * - `advance`: the first in line may be claimed.
 * - `forgetDead`: lives that were given up longer ago than the retention go, however long newer ones keep the hash.
 * - `newestDead`: the dead life that is the newest state of its id, if there is one.
 * - `tidy`: the hash goes when the last life has left it, and none is loaded.
 * - `bury`: remembers a life that did not live long, so that a repeated creation does not bring it back.
 */
export const line = `${lease}local function getLine(field)
  return redis.call('HGET', KEYS[2], field) or ''
end
local function setLine(field, names)
  if names == '' then
    redis.call('HDEL', KEYS[2], field)
  else
    redis.call('HSET', KEYS[2], field, names)
  end
end
local function join(first, second)
  if first == '' or second == '' then
    return first .. second
  end
  return first .. ' ' .. second
end
local function without(names, g)
  local left = {}
  for name in string.gmatch(names, '%S+') do
    if name ~= g then
      left[#left + 1] = name
    end
  end
  return table.concat(left, ' ')
end
local function headOf(names)
  return string.match(names, '^%S+')
end
local function hasOlder()
  return redis.call('HEXISTS', KEYS[2], 'q') == 1 or redis.call('HEXISTS', KEYS[2], 'z') == 1
end
local function nextNumber()
  return redis.call('HINCRBY', KEYS[2], 'n', 1)
end
local function overtake(number)
  if number > tonumber(redis.call('HGET', KEYS[2], 'ok') or 0) then
    redis.call('HSET', KEYS[2], 'ok', int(number))
  end
end
local function isOvertaken(g)
  local number = redis.call('HGET', KEYS[2], g .. ':o')
  return number and tonumber(number) < tonumber(redis.call('HGET', KEYS[2], 'ok') or 0)
end
local function unqueue(g)
  redis.call('ZREM', KEYS[3], member(g))
  redis.call('ZREM', KEYS[4], member(g))
  redis.call('HDEL', KEYS[5], member(g))
end
local function advance()
  local first = headOf(getLine('q'))
  if first and not redis.call('ZSCORE', KEYS[4], member(first)) then
    redis.call('ZADD', KEYS[4], int(now), member(first))
    keepIndex(KEYS[4], retention)
  end
end
local function store(extra)
  local f = redis.call('HMGET', KEYS[1], 'g', 'd', 'v', 'c', 'a', 'i', 'm')
  local meta = table.concat({ f[3], f[4], f[5], f[6], f[7] }, ' ')
  redis.call('HSET', KEYS[2], f[1] .. ':d', f[2], f[1] .. ':m', meta .. extra, f[1] .. ':o', nextNumber())
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[3], member(f[1]))
end
local function drop(g)
  redis.call('HDEL', KEYS[2], g .. ':d', g .. ':m', g .. ':o')
end
local function shelve(g)
  local isSealed = redis.call('HGET', KEYS[1], 'e') == '0'
  store('')
  if isSealed and isLeased(g) then
    setLine('q', join(g, getLine('q')))
  else
    setLine('q', join(getLine('q'), g))
  end
  advance()
  keep(KEYS[2], retention)
end
local function unshelve(g)
  drop(g)
  setLine('q', without(getLine('q'), g))
end
local function forgetDead()
  local names = getLine('z')
  if names == '' then
    return
  end
  local left = names
  for g in string.gmatch(names, '%S+') do
    local failedAt = redis.call('ZSCORE', KEYS[6], member(g))
    if not failedAt or tonumber(failedAt) <= now - retention then
      drop(g)
      redis.call('ZREM', KEYS[6], member(g))
      left = without(left, g)
    end
  end
  if left ~= names then
    setLine('z', left)
  end
end
local function newestDead()
  forgetDead()
  local names, n = getLine('z'), redis.call('HGET', KEYS[2], 'n')
  if names == '' or not n or getLine('q') ~= '' then
    return nil
  end
  for g in string.gmatch(names, '%S+') do
    if redis.call('HGET', KEYS[2], g .. ':o') == n then
      return g
    end
  end
end
local function tidy()
  if not hasOlder() and redis.call('HEXISTS', KEYS[2], 'ld') == 0 then
    redis.call('DEL', KEYS[2])
  end
end
local function outdate()
  if redis.call('HDEL', KEYS[2], 'ld') == 1 then
    tidy()
  end
end
local function inscribe(what)
  redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', int(now))
  redis.call('ZADD', KEYS[7], int(now + memoryMs), what)
  redis.call('PEXPIRE', KEYS[7], memoryMs)
end
local function bury(g, c)
  if now - tonumber(c) < memoryMs then
    inscribe(g)
  end
end
`
