import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * Begins to archive a life that was claimed: reads it, counts the attempt, and seals it: no turn that has lost its lock can
 * save into it any more.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, token, attempts at the most
 *
 * `{1, now, attempt, overtaken, v, c, a, i, m, value}`; where `attempt` is more than the most there is none left, and none
 * is counted. `{0}`: the lease is another's. `{2}`: an older life of the id comes first. `{3}`: it lives, for the server's
 * clock was set back. `{4}`: its data are gone.
 */
export const load = new Script(
  'load',
  life,
  line,
  `
local g = ARGV[3]
local token, mark, attempts = leaseOf(g)
if token ~= ARGV[4] then
  return { 0 }
end
evenIfFull(KEYS[5])
local function begin()
  if mark == 'b' then
    return attempts
  end
  if attempts < tonumber(ARGV[5]) then
    setLease(g, token, 'b', attempts + 1)
  end
  return attempts + 1
end
-- What somebody else has put under the key is not ours to read.
local f = redis.pcall('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd')
if f[1] == g then
  if now < tonumber(f[2]) then
    unqueue(g)
    redis.call('ZADD', KEYS[3], f[2], member(g))
    keepIndex(KEYS[3], tonumber(f[2]) - now + retention)
    return { 3 }
  end
  if getLine('q') ~= '' then
    unqueue(g)
    shelve(g)
    return { 2 }
  end
  redis.call('HDEL', KEYS[1], 'lo', 'lu', 'h', 'ir', 'lq')
  redis.call('HSET', KEYS[1], 'e', '0')
  redis.call('PEXPIRE', KEYS[1], int(retention))
  return { 1, now, begin(), 0, f[3], f[4], f[5], f[6], f[7], f[8] }
end
local older = redis.call('HMGET', KEYS[2], g .. ':m', g .. ':d')
if not older[1] then
  unqueue(g)
  setLine('q', without(getLine('q'), g))
  advance()
  return { 4 }
end
if headOf(getLine('q')) ~= g then
  unqueue(g)
  advance()
  return { 2 }
end
keep(KEYS[2], retention)
local answer = { 1, now, begin(), isOvertaken(g) and 1 or 0 }
for part in string.gmatch(older[1], '%S+') do
  answer[#answer + 1] = part
end
answer[#answer + 1] = older[2]
return answer
`,
)
