import { Script } from '../script.ts'
import { begin, wasBegun } from './create.lua.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'
import { marks } from './marks.lua.ts'
import { saves } from './saves.lua.ts'

/**
 * Assigns the value of the live session, as a short turn would; begins one where there is none.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, value, i, maxAgeMs or -1, live
 * sessions of the shard at the most or -1, operation
 *
 * `{0, now}`: a turn has the lock, or waits for it. `{1, now, c, m}`, `{2, now}`, `{3, now}`: as of a
 * creation. `{4, now, g, inMs}`: assigned; it is over in so many ms.
 */
export const assign = new Script(
  'assign',
  life,
  line,
  marks,
  saves,
  begin,
  wasBegun,
  `
local f = redis.call('HMGET', KEYS[1], 'g', 'e', 'c', 'm', 'i', 'lu', 'lq', 'h', 'w', 'ws')
local g, operation = f[1], ARGV[8]
if g == ARGV[3] then
  return { 1, now, f[3], f[4] }
end
if wasBegun(ARGV[3]) then
  return { 2, now }
end
if g and now < tonumber(f[2]) then
  local recent = recentSaves(f[9], f[10])
  if not wasSaved(recent, operation) then
    if tonumber(f[6] or 0) > now or #waiting(f[7] or '', '') > 0 then
      return { 0, now }
    end
    redis.call('HSET', KEYS[1], 'd', ARGV[4], 'v', operation)
    noteSave(recent, operation)
  end
  local e = deadline(now, tonumber(f[5]), tonumber(f[4]), heldUntil(tonumber(f[6] or 0), f[8] or ''))
  schedule(g, now, e)
  return { 4, now, g, e - now }
end
if isFull(tonumber(ARGV[7])) then
  return { 3, now }
end
if g then
  shelve(g)
end
return begin('', 0)
`,
)
