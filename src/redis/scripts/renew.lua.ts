import { Script } from '../script.ts'
import { life } from './life.lua.ts'

/**
 * Renews the lease of a turn (`l`) or a hold (`h`).
 *
 * KEYS session, older, deadlines · ARGV id, retentionMs, g, token, kind, leaseMs
 *
 * `{1, interrupts}`: renewed; `interrupts` is 1 if somebody asks the turn to stop. `{0}`: lost. `{-1}`: the life has ended.
 */
export const renew = new Script(
  'renew',
  life,
  `
local f = redis.call('HMGET', KEYS[1], 'g', 'e', 'i', 'm', 'lo', 'lu', 'h', 'ir')
if f[1] ~= ARGV[3] then
  return { -1 }
end
evenIfFull(KEYS[1])
local token, til = ARGV[4], now + tonumber(ARGV[6])
if now >= tonumber(f[2]) then
  return { 0 }
end
local lu, h, interrupts = tonumber(f[6] or 0), f[7] or '', 0
if ARGV[5] == 'l' then
  if f[5] ~= token then
    return { 0 }
  end
  lu = til
  redis.call('HSET', KEYS[1], 'lu', int(lu))
  interrupts = tonumber(f[8] or 0)
else
  if not string.find(' ' .. h, ' ' .. token .. '=', 1, true) then
    return { 0 }
  end
  local others = holders(h, token)
  others[#others + 1] = token .. '=' .. int(til)
  h = table.concat(others, ' ')
  redis.call('HSET', KEYS[1], 'h', h)
end
schedule(f[1], now, deadline(now, tonumber(f[3]), tonumber(f[4]), heldUntil(lu, h)))
return { 1, interrupts }
`,
)
