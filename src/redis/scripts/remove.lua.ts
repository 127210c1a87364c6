import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * Ends every life of an id but the dead ones. Those are not taken back to life any more.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone, answer · ARGV id, retentionMs
 *
 * `{now}`, and of each life `kind, g, v, c, a, i, m, value`; kind 1: it lived, 2: it was being archived, 0: it was over.
 */
export const remove = new Script(
  'remove',
  life,
  line,
  `
local answer = recall(KEYS[8])
if answer then
  return answer
end
answer = { now }
evenIfFull(KEYS[2])
local function take(kind, g, parts, value)
  if kind == 0 and redis.call('HEXISTS', KEYS[5], member(g)) == 1 then
    kind = 2
  end
  answer[#answer + 1] = kind
  answer[#answer + 1] = g
  for _, part in ipairs(parts) do
    answer[#answer + 1] = part
  end
  answer[#answer + 1] = value
  bury(g, parts[2])
  unqueue(g)
end
for g in string.gmatch(getLine('q'), '%S+') do
  local f = redis.call('HMGET', KEYS[2], g .. ':m', g .. ':d')
  local parts = {}
  for part in string.gmatch(f[1], '%S+') do
    parts[#parts + 1] = part
  end
  take(0, g, parts, f[2])
  unshelve(g)
end
local f = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd')
if f[1] then
  local kind = 0
  if now < tonumber(f[2]) then
    kind = 1
  end
  take(kind, f[1], { f[3], f[4], f[5], f[6], f[7] }, f[8])
  redis.call('DEL', KEYS[1])
end
if getLine('z') ~= '' then
  overtake(nextNumber())
end
outdate()
tidy()
if #answer > 1 then
  remember(KEYS[8], answer)
end
return answer
`,
)

/** Forgets an answer that has arrived. KEYS answer */
export const forget = new Script('forget', `return redis.call('UNLINK', KEYS[1])`)
