import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

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
  `
local g, outcome = ARGV[3], ARGV[5]
local settled = ARGV[4] .. '|' .. g
if redis.call('ZSCORE', KEYS[7], settled) then
  return 1
end
local token, mark, attempts = leaseOf(g)
if token ~= ARGV[4] then
  return 0
end
inscribe(settled)
if outcome == 'again' or outcome == 'back' then
  if outcome == 'back' and mark == 'b' then
    attempts = attempts - 1
  end
  setLease(g, '', '', attempts)
  redis.call('ZADD', KEYS[4], int(now + tonumber(ARGV[6])), member(g))
  return 1
end
local isCurrent = redis.call('HGET', KEYS[1], 'g') == g
if outcome == 'done' then
  local c, number
  if isCurrent then
    c = redis.call('HGET', KEYS[1], 'c')
    redis.call('DEL', KEYS[1])
    if hasOlder() then
      number = nextNumber()
    end
  else
    local meta = redis.call('HGET', KEYS[2], g .. ':m')
    c = meta and string.match(meta, '^%S+ (%S+)')
    number = redis.call('HGET', KEYS[2], g .. ':o')
    unshelve(g)
  end
  if c then
    bury(g, c)
  end
  if number then
    overtake(tonumber(number))
  end
  outdate()
  tidy()
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
if getLine('q') ~= '' then
  return 2
end
return 1
`,
)
