/**
 * The older lives of an id: a hash under `KEYS[2]`.
 *
 * `<g>:d` is the value of a life and `<g>:m` its times; `q` names those that wait to be archived, oldest first, and `z`
 * those that are given up. Only the first in line may be in the queue under `KEYS[4]`, so that the archives of one id
 * neither overlap nor overtake.
 *
 * - `shelve`: moves the life under `KEYS[1]`, which is over, to the older ones. One that is being archived goes first;
 *   one that was claimed but not loaded yet, and so is not sealed, waits like any other.
 * - `advance`: the first in line may be claimed.
 * - `forgetDead`: lives that were given up longer ago than the retention go, however long newer ones keep the hash.
 * - `bury`: remembers a life that did not live long, so that a repeated creation does not bring it back.
 */
export const line = `
local function member(g)
  return g .. ':' .. id
end
local function getLine(field)
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
local function isLeased(g)
  local til = redis.call('ZSCORE', KEYS[4], member(g))
  return til and tonumber(til) > now and string.sub(redis.call('HGET', KEYS[5], member(g)) or ':', 1, 1) ~= ':'
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
    keep(KEYS[4], retention)
  end
end
local function store(extra)
  local f = redis.call('HMGET', KEYS[1], 'g', 'd', 'v', 'c', 'a', 'i', 'm')
  local meta = table.concat({ f[3], f[4], f[5], f[6], f[7] }, ' ')
  redis.call('HSET', KEYS[2], f[1] .. ':d', f[2], f[1] .. ':m', meta .. extra)
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[3], member(f[1]))
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
  redis.call('HDEL', KEYS[2], g .. ':d', g .. ':m')
  setLine('q', without(getLine('q'), g))
end
local function forgetDead()
  local left = {}
  for g in string.gmatch(getLine('z'), '%S+') do
    local failedAt = redis.call('ZSCORE', KEYS[6], member(g))
    if failedAt and tonumber(failedAt) > now - retention then
      left[#left + 1] = g
    else
      redis.call('HDEL', KEYS[2], g .. ':d', g .. ':m')
      redis.call('ZREM', KEYS[6], member(g))
    end
  end
  setLine('z', table.concat(left, ' '))
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
