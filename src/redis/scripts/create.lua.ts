import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * Begins a life named `ARGV[3]`; with a token, in the turn of its creator.
 *
 * `v` names the state that was saved last. It is never a counter: a server that has lost its last moments would give the
 * same number to another state.
 */
export const begin = `
local function begin(token, lease)
  local i, maxAge, m, lu = tonumber(ARGV[5]), tonumber(ARGV[6]), -1, 0
  if maxAge >= 0 then
    m = math.min(now + math.ceil(maxAge) + 1, far)
  end
  redis.call('HSET', KEYS[1], 'g', ARGV[3], 'v', ARGV[3], 'c', int(now), 'i', ARGV[5], 'm', int(m), 'd', ARGV[4])
  if token ~= '' then
    lu = now + lease
    redis.call('HSET', KEYS[1], 'lo', token, 'lu', int(lu))
  end
  outdate()
  if getLine('z') ~= '' then
    nextNumber()
  end
  schedule(ARGV[3], now, deadline(now, i, m, lu))
  return { 1, now, int(now), int(m) }
end
`

/** Whether a creation that is repeated was carried out before, and its life has left `KEYS[1]` since. */
export const wasBegun = `
local function wasBegun(g)
  return redis.call('ZSCORE', KEYS[7], g) or redis.call('HEXISTS', KEYS[2], g .. ':m') == 1
end
`

/**
 * Begins a life where there is none; an older one that is over moves aside.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, value, i, maxAgeMs or -1, live
 * sessions of the shard at the most or -1, token, leaseMs, loaded, `ld`
 *
 * Where the value was loaded (`ARGV[10]` is 1) it must be the newest state: no older life may be waiting to be archived or be
 * the newest dead one, and none may have begun or been archived, nor the id deleted, since the load began.
 *
 * `{0, now}`: there is a live session, or a newer state than the loaded one. `{1, now, c, m}`: created, now or by an earlier try
 * of the same name. `{2, now}`: an earlier try has created it, and it has ended since. `{3, now}`: the shard is full.
 */
export const create = new Script(
  'create',
  life,
  line,
  begin,
  wasBegun,
  `
local f = redis.call('HMGET', KEYS[1], 'g', 'e', 'c', 'm')
if f[1] == ARGV[3] then
  return { 1, now, f[3], f[4] }
end
if wasBegun(ARGV[3]) then
  return { 2, now }
end
if f[1] and now < tonumber(f[2]) then
  return { 0, now }
end
if ARGV[10] == '1' and (f[1] or getLine('q') ~= '' or getLine('ld') ~= ARGV[11] or newestDead()) then
  return { 0, now }
end
if isFull(tonumber(ARGV[7])) then
  return { 3, now }
end
if f[1] then
  shelve(f[1])
end
return begin(ARGV[8], tonumber(ARGV[9]))
`,
)
