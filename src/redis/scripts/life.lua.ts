/**
 * The live session of an id: a hash under `KEYS[1]`, its deadline in the sorted set under `KEYS[3]`.
 *
 * - `lag`: activity is written down only that often, and the deadline lies that much later, so that no session is over
 *   early. Milliseconds.
 * - `deadline`: when a life is over. One that is held is not, not even by age.
 * - `schedule`: writes the deadline down; `PEXPIREAT` comes first because it needs no memory, see `evenIfFull`.
 * - `isFull`: whether as many sessions live in the shard as may; -1: any number may.
 * - `holders`: the holds of `h` (`token=until …`) but one's own and those that have run out; and how long one's own lasts.
 */
export const life = `
local id = ARGV[1]
local retention = tonumber(ARGV[2])
local function lag(i)
  if i < 0 then
    return 1000
  end
  return math.max(1, math.min(math.floor(i / 128), 1000))
end
local function deadline(a, i, m, held)
  local e = far
  if i >= 0 then
    e = a + math.ceil(i) + lag(i)
  end
  if m >= 0 then
    e = math.min(e, m)
  end
  return math.min(math.max(e, held), far)
end
local function heldUntil(lu, h)
  if h == '' then
    return lu
  end
  local held = lu
  for til in string.gmatch(h, '=(%d+)') do
    held = math.max(held, tonumber(til))
  end
  return held
end
local function holders(h, own)
  local others, rest = {}, 0
  for token, til in string.gmatch(h, '(%S+)=(%d+)') do
    if token == own then
      rest = tonumber(til) - now
    elseif tonumber(til) > now then
      others[#others + 1] = token .. '=' .. til
    end
  end
  return others, rest
end
local function isFull(most)
  return most >= 0 and redis.call('ZCOUNT', KEYS[3], '(' .. int(now), '+inf') >= most
end
local function schedule(g, a, e)
  -- A turn may have outlasted the age of its session: the retention starts when it ends.
  local waits = math.max(e - now, 0)
  redis.call('PEXPIREAT', KEYS[1], int(math.min(now + waits + retention, far)))
  redis.call('HSET', KEYS[1], 'a', int(a), 'e', int(e))
  redis.call('ZADD', KEYS[3], int(e), g .. ':' .. id)
  keepIndex(KEYS[3], waits + retention)
end
`
