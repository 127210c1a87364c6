import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { eachClaim } from './includes/each-claim.lua.ts'
import { session } from './includes/session.lua.ts'
import { tombstones } from './includes/tombstones.lua.ts'

/**
 * Settles claims of one shard.
 *
 * `outcome`: `ack` acknowledges the archive, `retry` releases the claim for another attempt after a pause,
 * `release` releases it without an attempt, `deadLetter` moves the incarnation to the dead letters.
 *
 * A session that was archived or dead-lettered leaves a tombstone: from now on it reads as absent.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, tombstones, then session,
 * backlog of each other claim
 * ARGV '', retentionMs, then `id, incarnation, token, outcome, pauseMs, reason` of each claim, then
 * tombstoneMs, new key of hashes
 *
 * Reply, for each claim:
 * - 1: settled, by this call or an earlier one.
 * - 2: settled, and a younger incarnation of the id may be claimed now.
 * - 0: the lease is another's, or the incarnation was deleted.
 * - 3: the incarnation was deleted, and its deletion from the store may be claimed now.
 * - 8: see `each-claim.lua.ts`.
 */
export const settle = new Script(
  'settle',
  session,
  backlog,
  tombstones,
  eachClaim,
  `
-- Written for all claims at the end.
local settled, remembered, removed = {}, {}, {}
local function acknowledge(incarnation, isCurrent, createdAt, hasOthers)
  local sequence
  if isCurrent then
    redis.call('DEL', KEYS[1])
    if hasOthers and hasBacklog() then
      sequence = nextSequence()
    end
  else
    local times = redis.call('HGET', KEYS[2], incarnation .. ':m')
    createdAt = times and createdAtOf(times)
    sequence = redis.call('HGET', KEYS[2], incarnation .. ':o')
    removeFromBacklog(incarnation)
  end
  if sequence then
    supersedeUpTo(tonumber(sequence))
  end
  if hasOthers then
    invalidateLoads()
    deleteIfEmpty()
  end
  if createdAt and mayBeRepeated(createdAt) then
    remembered[#remembered + 1] = incarnation
  end
end
local function deadLetter(incarnation, isCurrent, attempts, cause)
  local failure = ' ' .. toInteger(attempts) .. ' ' .. toInteger(now) .. ' ' .. cause
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
local function settleClaim(operation, incarnation, member, ownToken, outcome, pauseMs, cause)
  if settled[operation] then
    return 1
  end
  local token, phase, attempts = leaseOf(incarnation)
  if token ~= ownToken then
    return releaseDeletion(ownToken) and 3 or 0
  end
  if outcome == 'retry' or outcome == 'release' then
    if outcome == 'release' and phase == 'b' then
      attempts = attempts - 1
    end
    setLease(incarnation, '', '', attempts)
    redis.call('ZADD', KEYS[4], toInteger(now + pauseMs), member)
    remembered[#remembered + 1] = operation
    settled[operation] = true
    return 1
  end
  local fields = redis.call('HMGET', KEYS[1], 'g', 'c')
  local isCurrent = fields[1] == incarnation
  local hasOthers = not isCurrent or redis.call('EXISTS', KEYS[2]) == 1
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
    acknowledge(incarnation, isCurrent, fields[2], hasOthers)
  else
    deadLetter(incarnation, isCurrent, attempts, cause)
  end
  local state = 1
  if hasOthers then
    promoteNext()
    if getNames('q') ~= '' then
      state = 2
    end
  end
  removed[#removed + 1] = member
  remembered[#remembered + 1] = operation
  settled[operation] = true
  return state
end
local operations = {}
for first = 3, #ARGV, 6 do
  operations[#operations + 1] = ARGV[first + 2] .. '|' .. ARGV[first + 1]
end
for index, forgottenAt in ipairs(redis.call('ZMSCORE', KEYS[7], unpack(operations))) do
  settled[operations[index]] = forgottenAt and true
end
allowWhenFull(KEYS[5])
local replies = eachClaim(6, 2, 6, function(reply, first, member)
  local incarnation, ownToken, outcome, pauseMs, cause = unpack(ARGV, first + 1, first + 5)
  local operation = operations[(first + 3) / 6]
  reply[#reply + 1] = settleClaim(operation, incarnation, member, ownToken, outcome, tonumber(pauseMs), cause)
end)
if #removed > 0 then
  redis.call('ZREM', KEYS[3], unpack(removed))
  redis.call('ZREM', KEYS[4], unpack(removed))
  redis.call('HDEL', KEYS[5], unpack(removed))
end
if #remembered > 0 then
  rememberOperations(remembered)
end
return replies
`,
)
