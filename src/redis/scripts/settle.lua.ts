import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Settles a claim: archived (`ack`), to be tried again after a pause (`retry`), given back untried
 * (`release`), or given up (`deadLetter`).
 *
 * KEYS session, older, deadlines, queue, leases, dead, gone · ARGV id, retentionMs, g, token, outcome,
 * pauseMs, reason
 *
 * 1: settled, now or by an earlier try; 2: and a younger life of the id is ready. 0: the lease is another's,
 * or the life was deleted.
 */
export const settle = new Script(
  'settle',
  session,
  backlog,
  `
local incarnation, outcome = ARGV[3], ARGV[5]
local operation = ARGV[4] .. '|' .. incarnation
if redis.call('ZSCORE', KEYS[7], operation) then
  return 1
end
local token, phase, attempts = leaseOf(incarnation)
if token ~= ARGV[4] then
  return 0
end
rememberOperation(operation)
if outcome == 'retry' or outcome == 'release' then
  if outcome == 'release' and phase == 'b' then
    attempts = attempts - 1
  end
  setLease(incarnation, '', '', attempts)
  redis.call('ZADD', KEYS[4], toInteger(now + tonumber(ARGV[6])), memberOf(incarnation))
  return 1
end
local isCurrent = redis.call('HGET', KEYS[1], 'g') == incarnation
if outcome == 'ack' then
  local createdAt, number
  if isCurrent then
    createdAt = redis.call('HGET', KEYS[1], 'c')
    redis.call('DEL', KEYS[1])
    if hasOlder() then
      number = nextSequence()
    end
  else
    local times = redis.call('HGET', KEYS[2], incarnation .. ':m')
    createdAt = times and string.match(times, '^%S+ (%S+)')
    number = redis.call('HGET', KEYS[2], incarnation .. ':o')
    removeFromBacklog(incarnation)
  end
  if createdAt then
    rememberEnded(incarnation, createdAt)
  end
  if number then
    supersedeUpTo(tonumber(number))
  end
  invalidateLoads()
  deleteIfEmpty()
else
  local failure = ' ' .. toInteger(attempts) .. ' ' .. toInteger(now) .. ' ' .. ARGV[7]
  local times = redis.call('HGET', KEYS[2], incarnation .. ':m')
  if isCurrent then
    copyToBacklog(failure)
  elseif times then
    redis.call('HSET', KEYS[2], incarnation .. ':m', times .. failure)
    setNames('q', withoutName(getNames('q'), incarnation))
  end
  if isCurrent or times then
    dropOldDeadLetters()
    setNames('z', joinNames(getNames('z'), incarnation))
    redis.call('ZADD', KEYS[6], toInteger(now), memberOf(incarnation))
    extendTtl(KEYS[6], retentionMs)
    extendTtl(KEYS[2], retentionMs)
  end
end
removeFromQueue(incarnation)
promoteNext()
if getNames('q') ~= '' then
  return 2
end
return 1
`,
)
