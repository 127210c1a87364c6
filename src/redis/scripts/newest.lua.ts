import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * The next step to the newest state of an id that is to be loaded: a live session, else an older life that waits, else the
 * newest dead one, else what was archived.
 *
 * A life that waits is put first. It is taken under a lease, if it is ready and no process has begun to archive it, nor taken
 * it for a caller of its own; without a token it becomes the first to be claimed, where there is an archive to wait for. A
 * pause between two tries is cut short.
 *
 * A dead life that is the newest state is taken back to life. Its idle time and its age start again.
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, token or '', leaseMs, the longest pause
 * in ms, live sessions of the shard at the most or -1, a new name, how long it is kept in ms,
 * whether it is to be archived
 *
 * `{0, ld}`: what can be loaded is the newest state, for as long as `ld` names it. `{1}`: there is a live session; `{1, inMs}`:
 * one was taken back to life, and is over in so many ms. `{2}`: a life waits, or is being archived. `{3, g, isNew}`: it was
 * taken. `{4}`: the shard is full.
 */
export const newest = new Script(
  'newest',
  life,
  line,
  `
local f = redis.call('HMGET', KEYS[1], 'g', 'e')
if f[1] and now < tonumber(f[2]) then
  return { 1 }
end
evenIfFull(KEYS[5])
local first = headOf(getLine('q'))
local g = first or f[1]
if g then
  if first and f[1] and isBegun(f[1]) then
    return { 2 }
  end
  local token, mark, attempts = leaseOf(g)
  local wanted, readyAt = ARGV[3], tonumber(redis.call('ZSCORE', KEYS[4], member(g)) or 0)
  local isNew = redis.call('HEXISTS', KEYS[5], member(g)) == 1 and 0 or 1
  if readyAt > now and token ~= '' then
    if token == wanted then
      return { 3, g, 0 }
    end
    if mark ~= '' or wanted == '' then
      return { 2 }
    end
  elseif readyAt > now then
    local soon = now + tonumber(ARGV[5])
    if readyAt > soon then
      redis.call('ZADD', KEYS[4], int(soon), member(g))
    end
    return { 2 }
  end
  redis.call('ZREM', KEYS[3], member(g))
  local til = now
  if ARGV[9] == '1' then
    til = 0
  end
  if wanted ~= '' then
    setLease(g, wanted, 'u', attempts)
    til = now + tonumber(ARGV[4])
  elseif isNew == 0 then
    setLease(g, '', '', attempts)
  end
  redis.call('ZADD', KEYS[4], int(til), member(g))
  keepIndex(KEYS[4], retention + tonumber(ARGV[4]))
  keepIndex(KEYS[5], retention + tonumber(ARGV[4]))
  if wanted == '' then
    return { 2 }
  end
  return { 3, g, isNew }
end
g = newestDead()
if g then
  if isFull(tonumber(ARGV[6])) then
    return { 4 }
  end
  local dead = redis.call('HMGET', KEYS[2], g .. ':m', g .. ':d')
  local v, c, _, i, m = string.match(dead[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)')
  if tonumber(m) >= 0 then
    m = int(math.min(now + tonumber(m) - tonumber(c), far))
  end
  redis.call('HSET', KEYS[1], 'g', g, 'v', v, 'c', int(now), 'i', i, 'm', m, 'd', dead[2])
  drop(g)
  setLine('z', without(getLine('z'), g))
  redis.call('ZREM', KEYS[6], member(g))
  tidy()
  local e = deadline(now, tonumber(i), tonumber(m), 0)
  schedule(g, now, e)
  return { 1, e - now }
end
local ld = getLine('ld')
if ld == '' then
  ld = ARGV[7]
  redis.call('HSET', KEYS[2], 'ld', ld)
end
keep(KEYS[2], tonumber(ARGV[8]))
return { 0, ld }
`,
)
