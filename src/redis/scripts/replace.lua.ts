import { Script } from '../script.ts'
import { begin, wasBegun } from './create.lua.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * Begins a life in place of the live one, which ends.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone, answer · ARGV id, retentionMs, g, value, i, maxAgeMs or -1,
 * live sessions of the shard at the most or -1
 *
 * `{1, now, c, m}`, and of the life that ended `g, v, c, a, i, m, value`. `{2, now}`: done by an earlier try, and ended.
 * `{3, now}`: the shard is full, and there is none to replace.
 */
export const replace = new Script(
  'replace',
  life,
  line,
  begin,
  wasBegun,
  `
local before = recall(KEYS[8])
if before then
  return before
end
local f = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd')
if f[1] == ARGV[3] then
  return { 1, now, f[4], f[7] }
end
if wasBegun(ARGV[3]) then
  return { 2, now }
end
local lives = f[1] and now < tonumber(f[2])
if not lives and isFull(tonumber(ARGV[7])) then
  return { 3, now }
end
if lives then
  redis.call('DEL', KEYS[1])
  unqueue(f[1])
  bury(f[1], f[4])
elseif f[1] then
  shelve(f[1])
end
local answer = begin('', 0)
if lives then
  for _, part in ipairs({ f[1], f[3], f[4], f[5], f[6], f[7], f[8] }) do
    answer[#answer + 1] = part
  end
  remember(KEYS[8], answer)
end
return answer
`,
)
