import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/** Whether the caller still has the lease that it claimed life `ARGV[3]` under. */
export const lease = `
local function isMine(g, token)
  local leased = redis.call('HGET', KEYS[5], member(g))
  return leased and string.sub(leased, 1, #token + 1) == token .. ':'
end
`

/**
 * Reads a life that was claimed, and seals it: no turn that has lost its lock can save into it any more.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, token
 *
 * `{1, now, v, c, a, i, m, value}`. `{0}`: the lease is another's. `{2}`: an older life of the id comes first.
 * `{3}`: it lives, for the server's clock was set back. `{4}`: its data are gone.
 */
export const load = new Script(
  'load',
  life,
  line,
  lease,
  `
local g = ARGV[3]
if not isMine(g, ARGV[4]) then
  return { 0 }
end
local f = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd')
if f[1] == g then
  if now < tonumber(f[2]) then
    unqueue(g)
    redis.call('ZADD', KEYS[3], f[2], member(g))
    keep(KEYS[3], tonumber(f[2]) - now + retention)
    return { 3 }
  end
  if getLine('q') ~= '' then
    unqueue(g)
    shelve(g)
    return { 2 }
  end
  redis.call('HDEL', KEYS[1], 'lo', 'lu', 'h', 'ir')
  redis.call('HSET', KEYS[1], 'e', '0')
  redis.call('PEXPIRE', KEYS[1], int(retention))
  return { 1, now, f[3], f[4], f[5], f[6], f[7], f[8] }
end
local older = redis.call('HMGET', KEYS[2], g .. ':m', g .. ':d')
if not older[1] then
  unqueue(g)
  advance()
  return { 4 }
end
if headOf(getLine('q')) ~= g then
  unqueue(g)
  advance()
  return { 2 }
end
keep(KEYS[2], retention)
local answer = { 1, now }
for part in string.gmatch(older[1], '%S+') do
  answer[#answer + 1] = part
end
answer[#answer + 1] = older[2]
return answer
`,
)
