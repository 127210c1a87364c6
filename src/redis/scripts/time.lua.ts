/**
 * The beginning of every script: its deadline, the server's time, and what every script does with them.
 *
 * The last two arguments are of the call itself, not of the script: until when it may be carried out, in the server's time,
 * and how long an operation is remembered. A script that comes too late, out of the queue of a client or the socket of a
 * server that stood still, does nothing: its caller was told long ago that it failed.
 *
 * - `memoryMs`: how long an operation that must not be done twice is remembered; longer than a call is repeated.
 * - `int`: a number as Redis wants it; `tostring` would make `1.7e+12` of a time.
 * - `keep`: no key is without a TTL; one that must live longer gets more, with a slack so that not every write sets it.
 * - `keepIndex`: an index outlives the data that it names by far: where the data went by their TTL, that is found and told.
 * - `recall`, `remember`: what an operation that must not be done twice has answered, for the case that the answer was
 *   lost.
 * - `evenIfFull`: where memory is full, Redis refuses a script at its first command that writes, if that one could need
 *   memory, and no later. What must go on then (reading, renewing, letting go) begins with a command that needs none.
 */
export const time = `
local memoryMs = tonumber(table.remove(ARGV))
local notAfter = tonumber(table.remove(ARGV))
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if now > notAfter then
  return { 0, now }
end
local far = 8640000000000000
local function int(n)
  return string.format('%.0f', n)
end
local function keep(key, ms)
  ms = math.max(math.min(ms, far - now), 1)
  if redis.call('PTTL', key) < ms then
    redis.call('PEXPIRE', key, int(ms + ms / 8))
  end
end
local function keepIndex(key, ms)
  keep(key, 3 * ms)
end
local function evenIfFull(key)
  redis.call('HDEL', key, '')
end
local function recall(key)
  local answer = redis.call('LRANGE', key, 0, -1)
  if #answer > 0 then
    return answer
  end
end
local function remember(key, answer)
  for from = 1, #answer, 1000 do
    redis.call('RPUSH', key, unpack(answer, from, math.min(from + 999, #answer)))
  end
  redis.call('PEXPIRE', key, memoryMs)
end
`
