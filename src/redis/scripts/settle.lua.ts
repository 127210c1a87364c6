import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'
import { tombstones } from './includes/tombstones.lua.ts'

/**
 * Settles a claim.
 *
 * `outcome`: `ack` acknowledges the archive, `retry` releases the claim for another attempt after a pause,
 * `release` releases it without an attempt, `deadLetter` moves the incarnation to the dead letters.
 *
 * A session that was archived or dead-lettered leaves a tombstone: from now on it reads as absent.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, tombstones
 * ARGV id, retentionMs, incarnation, token, outcome, pauseMs, reason, tombstoneMs, new key of hashes
 *
 * Reply:
 * - 1: settled, by this call or an earlier one.
 * - 2: settled, and a younger incarnation of the id may be claimed now.
 * - 0: the lease is another's, or the incarnation was deleted.
 * - 3: the incarnation was deleted, and its deletion from the store may be claimed now.
 */
export const settle = new Script(
  'settle',
  session,
  backlog,
  tombstones,
  `
local incarnation, outcome = ARGV[3], ARGV[5]
local operation = ARGV[4] .. '|' .. incarnation
if redis.call('ZSCORE', KEYS[7], operation) then
  return 1
end
local token, phase, attempts = leaseOf(incarnation)
if token ~= ARGV[4] then
  return releaseDeletion(ARGV[4]) and 3 or 0
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
if tombstoneMs > 0 and isCurrent then
  local youngest = youngestOfId()
  keepTombstone(KEYS[8], youngest.owner, youngest.reason, youngest.endedAt)
elseif tombstoneMs > 0 then
  local entry = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':x', incarnation .. ':ow')
  if entry[1] and not entry[2] then
    local reason, endedAt = queuedExpiry(entry[1])
    keepTombstone(KEYS[8], entry[3] or '', reason, endedAt, endedAt)
  end
end
if outcome == 'ack' then
  local createdAt, sequence
  if isCurrent then
    createdAt = redis.call('HGET', KEYS[1], 'c')
    redis.call('DEL', KEYS[1])
    if hasBacklog() then
      sequence = nextSequence()
    end
  else
    local times = redis.call('HGET', KEYS[2], incarnation .. ':m')
    createdAt = times and createdAtOf(times)
    sequence = redis.call('HGET', KEYS[2], incarnation .. ':o')
    removeFromBacklog(incarnation)
  end
  if createdAt then
    rememberEnded(incarnation, createdAt)
  end
  if sequence then
    supersedeUpTo(tonumber(sequence))
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
