import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'
import { lease } from './load.lua.ts'

/**
 * Settles a claim: archived (`done`), to be tried again after a pause (`again`), given back untried (`back`), or given
 * up (`dead`).
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, token, outcome, pauseMs, reason
 *
 * 1: settled, now or by an earlier try; 2: and a younger life of the id is ready. 0: the lease is another's, or the life was deleted.
 */
export const settle = new Script(
  'settle',
  life,
  line,
  lease,
  `
local g, token, outcome = ARGV[3], ARGV[4], ARGV[5]
local settled = token .. '|' .. g
if redis.call('ZSCORE', KEYS[7], settled) then
  return 1
end
if not isMine(g, token) then
  return 0
end
inscribe(settled)
local leased = redis.call('HGET', KEYS[5], member(g))
local attempts = tonumber(string.match(leased, ':(%d+)$'))
if outcome == 'again' or outcome == 'back' then
  if outcome == 'back' then
    attempts = attempts - 1
  end
  redis.call('HSET', KEYS[5], member(g), ':' .. int(attempts))
  redis.call('ZADD', KEYS[4], int(now + tonumber(ARGV[6])), member(g))
  return 1
end
local isCurrent = redis.call('HGET', KEYS[1], 'g') == g
if outcome == 'done' then
  local c
  if isCurrent then
    c = redis.call('HGET', KEYS[1], 'c')
    redis.call('DEL', KEYS[1])
  else
    local meta = redis.call('HGET', KEYS[2], g .. ':m')
    c = meta and string.match(meta, '^%S+ (%S+)')
    unshelve(g)
  end
  if c then
    bury(g, c)
  end
else
  local fate = ' ' .. int(attempts) .. ' ' .. int(now) .. ' ' .. ARGV[7]
  local meta = redis.call('HGET', KEYS[2], g .. ':m')
  if isCurrent then
    store(fate)
  elseif meta then
    redis.call('HSET', KEYS[2], g .. ':m', meta .. fate)
    setLine('q', without(getLine('q'), g))
  end
  if isCurrent or meta then
    forgetDead()
    setLine('z', join(getLine('z'), g))
    redis.call('ZADD', KEYS[6], int(now), member(g))
    keep(KEYS[6], retention)
    keep(KEYS[2], retention)
  end
end
unqueue(g)
advance()
if headOf(getLine('q')) then
  return 2
end
return 1
`,
)
