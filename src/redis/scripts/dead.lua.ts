import { ReadOnlyScript, Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/** Adds a dead life to an answer: `g, v, c, a, i, m, attempts, failedAt, reason, value`. The size of its value. */
const tell = `
local function tell(answer, g)
  local f = redis.call('HMGET', KEYS[2], g .. ':m', g .. ':d')
  answer[#answer + 1] = g
  for part in string.gmatch(f[1], '%S+') do
    answer[#answer + 1] = part
  end
  answer[#answer + 1] = f[2]
  return #f[2]
end
`

/**
 * Reads dead lives of an id, until their values have reached a size.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, size, and of each life `g`
 *
 * `{now, read}`, and what {@link tell} says of each; `read` is how many of them were looked for. One that is dead no more is
 * passed over.
 */
export const readDead = new ReadOnlyScript(
  'read-dead',
  life,
  line,
  tell,
  `
local answer, size, read = { now, 0 }, 0, 0
for index = 4, #ARGV do
  if size >= tonumber(ARGV[3]) then
    break
  end
  read = read + 1
  local g = ARGV[index]
  local failedAt = redis.call('ZSCORE', KEYS[6], member(g))
  if failedAt and tonumber(failedAt) > now - retention and redis.call('HEXISTS', KEYS[2], g .. ':d') == 1 then
    size = size + tell(answer, g)
  end
end
answer[2] = read
return answer
`,
)

/**
 * Ends dead lives of an id, the oldest first, until their values have reached a size.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone, answer · ARGV id, retentionMs, size
 *
 * `{now, left}`, and what {@link tell} says of each; `left` is how many are still dead.
 */
export const dropDead = new Script(
  'drop-dead',
  life,
  line,
  tell,
  `
local answer = recall(KEYS[8])
if answer then
  return answer
end
evenIfFull(KEYS[2])
forgetDead()
local size, left = 0, {}
answer = { now, 0 }
for g in string.gmatch(getLine('z'), '%S+') do
  if size < tonumber(ARGV[3]) then
    size = size + tell(answer, g)
    drop(g)
    redis.call('ZREM', KEYS[6], member(g))
  else
    left[#left + 1] = g
  end
end
answer[2] = #left
setLine('z', table.concat(left, ' '))
tidy()
if #answer > 2 then
  remember(KEYS[8], answer)
end
return answer
`,
)

/**
 * Lets the dead lives of an id be archived again, ahead of the younger ones of the id.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone, answer · ARGV id, retentionMs
 *
 * How many.
 */
export const retryDead = new Script(
  'retry-dead',
  life,
  line,
  `
local answer = recall(KEYS[8])
if answer then
  return answer
end
evenIfFull(KEYS[2])
forgetDead()
local lives = {}
for g in string.gmatch(getLine('z'), '%S+') do
  local f = redis.call('HMGET', KEYS[2], g .. ':m', g .. ':o')
  redis.call('HSET', KEYS[2], g .. ':m', string.match(f[1], '^%S+ %S+ %S+ %S+ %S+'))
  redis.call('ZREM', KEYS[6], member(g))
  lives[#lives + 1] = { g, tonumber(f[2] or 0), #lives }
end
if #lives == 0 then
  tidy()
  return { 0 }
end
-- One that had to wait for a younger one may have died after it.
table.sort(lives, function(one, other)
  if one[2] ~= other[2] then
    return one[2] < other[2]
  end
  return one[3] < other[3]
end)
local names = ''
for _, one in ipairs(lives) do
  names = join(names, one[1])
end
setLine('z', '')
local queue = getLine('q')
local first = headOf(queue)
if first and isBegun(first) then
  setLine('q', join(join(first, names), without(queue, first)))
else
  if first then
    -- One that was claimed and not begun has to wait: its claim is taken away.
    local _, _, attempts = leaseOf(first)
    redis.call('ZREM', KEYS[4], member(first))
    if redis.call('HEXISTS', KEYS[5], member(first)) == 1 then
      setLease(first, '', '', attempts)
    end
  end
  setLine('q', join(names, queue))
end
local current = redis.call('HGET', KEYS[1], 'g')
if not (current and isBegun(current)) then
  advance()
end
keep(KEYS[2], retention)
answer = { #lives }
remember(KEYS[8], answer)
return answer
`,
)
