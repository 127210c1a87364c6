import { Script } from '../script.ts'
import { begin } from './create.lua.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * Begins a life in place of the live one, which ends.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone, answer · ARGV id, retentionMs, g, value, i, maxAgeMs or -1
 *
 * `{1, now, c, m}`, and of the life that ended `g, v, c, a, i, m, value`. `{2, now}`: done by an earlier try, and ended.
 */
export const replace = new Script(
  'replace',
  life,
  line,
  begin,
  `
local before = recall(KEYS[8])
if before then
  return before
end
local f = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd')
if f[1] == ARGV[3] then
  return { 1, now, f[4], f[7] }
end
if redis.call('ZSCORE', KEYS[7], ARGV[3]) then
  return { 2, now }
end
local lives = f[1] and now < tonumber(f[2])
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
