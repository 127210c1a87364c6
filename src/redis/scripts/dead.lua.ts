import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * The dead lives of an id: read them (`read`), let them be archived again (`retry`), or end them (`drop`).
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone, answer · ARGV id, retentionMs, what
 *
 * `{now}`, and of each life `g, v, c, a, i, m, attempts, failedAt, reason, value`.
 */
export const dead = new Script(
  'dead',
  life,
  line,
  `
local answer = recall(KEYS[8])
if answer then
  return answer
end
answer = { now }
forgetDead()
local what, names = ARGV[3], getLine('z')
for g in string.gmatch(names, '%S+') do
  local f = redis.call('HMGET', KEYS[2], g .. ':m', g .. ':d')
  local parts = {}
  for part in string.gmatch(f[1], '%S+') do
    parts[#parts + 1] = part
  end
  answer[#answer + 1] = g
  for _, part in ipairs(parts) do
    answer[#answer + 1] = part
  end
  answer[#answer + 1] = f[2]
  if what ~= 'read' then
    redis.call('ZREM', KEYS[6], member(g))
    if what == 'retry' then
      redis.call('HSET', KEYS[2], g .. ':m', table.concat(parts, ' ', 1, 5))
    else
      redis.call('HDEL', KEYS[2], g .. ':m', g .. ':d')
    end
  end
end
if what == 'read' or names == '' then
  return answer
end
setLine('z', '')
if what == 'retry' then
  local queue = getLine('q')
  local first = headOf(queue)
  if first and isLeased(first) then
    setLine('q', join(join(first, names), without(queue, first)))
  else
    if first then
      redis.call('ZREM', KEYS[4], member(first))
    end
    setLine('q', join(names, queue))
  end
  local current = redis.call('HGET', KEYS[1], 'g')
  if not (current and isLeased(current)) then
    advance()
  end
  keep(KEYS[2], retention)
end
remember(KEYS[8], answer)
return answer
`,
)
