import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { saves } from './saves.lua.ts'

/**
 * Ends a turn (`l`), a hold (`h`), or the part of one who has a hold together with others, which stays (`p`), and saves what
 * it changed.
 *
 * KEYS session, older, deadlines · ARGV id, retentionMs, g, token, kind, operation, saves, value, i or '', version read
 *
 * `{1, inMs}`: done; it is over in so many ms. What was saved is the version named `operation`. `{2}`: done by an earlier
 * try. `{0}`: the lock is another's, or what was read outside a turn has changed; nothing was saved. `{-1}`: that life has
 * ended.
 */
export const leave = new Script(
  'leave',
  life,
  saves,
  `
local f = redis.call('HMGET', KEYS[1], 'g', 'v', 'e', 'i', 'm', 'lo', 'lu', 'h', 'w', 'ws')
local g, v = f[1], f[2]
if g ~= ARGV[3] then
  return { -1 }
end
local token, operation, saves, value = ARGV[4], ARGV[6], ARGV[7] == '1', ARGV[8]
local recent = recentSaves(f[9], f[10])
if wasSaved(recent, operation) then
  return { 2 }
end
if now >= tonumber(f[3]) then
  return { 0 }
end
local lo, lu, h = f[6] or '', tonumber(f[7] or 0), f[8] or ''
if ARGV[5] == 'l' then
  if lo ~= token then
    return { 0 }
  end
  lu = 0
elseif saves and (lu > now or v ~= ARGV[10]) then
  saves = false
  operation = ''
end
if saves then
  redis.call('HSET', KEYS[1], 'd', value, 'v', operation)
else
  evenIfFull(KEYS[1])
end
if ARGV[5] == 'l' then
  redis.call('HDEL', KEYS[1], 'lo', 'lu', 'ir')
elseif ARGV[5] == 'h' then
  h = table.concat(holders(h, token), ' ')
  redis.call('HSET', KEYS[1], 'h', h)
end
local i = f[4]
if ARGV[9] ~= '' and operation ~= '' then
  i = ARGV[9]
  redis.call('HSET', KEYS[1], 'i', i)
end
if operation ~= '' then
  noteSave(recent, operation)
end
local e = deadline(now, tonumber(i), tonumber(f[5]), heldUntil(lu, h))
schedule(g, now, e)
if operation == '' then
  return { 0 }
end
return { 1, e - now }
`,
)
