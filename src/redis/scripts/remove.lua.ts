import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'
import { tombstones } from './includes/tombstones.lua.ts'

/**
 * Ends every incarnation of an id except the dead letters, which are not revived any more.
 *
 * Where the sessions are kept in a store, a deletion from it joins the backlog: no process loads the id until
 * it is done. With a token it is claimed at once. It waits for a write to the store that may be under way, at
 * most for the lease of that write.
 *
 * The youngest leaves a tombstone. It was deleted, unless it has expired, nothing is archived (`canArchive`
 * is 0), and no process has claimed it.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, reply, tombstones
 * ARGV id, retentionMs, name of the deletion or '' without a store, token or '', leaseMs, canArchive,
 * tombstoneMs, new key of hashes
 *
 * Reply: `{now, deletion, isClaimed}`, then `kind, incarnation, state, value` of each. `kind`: 0 expired, 1
 * live, 2 being archived. `deletion` is that of an earlier call if it is not done.
 */
export const remove = new Script(
  'remove',
  session,
  backlog,
  tombstones,
  `
local reply = cachedReply(KEYS[8])
if reply then
  return reply
end
local name, token, leaseMs = ARGV[3], ARGV[4], tonumber(ARGV[5])
local writer, writesUntil
reply = { now, '', 0 }
allowWhenFull(KEYS[2])
local function appendEnded(kind, incarnation, times, owner, value)
  if kind == 0 and redis.call('HEXISTS', KEYS[5], memberOf(incarnation)) == 1 then
    kind = 2
  end
  reply[#reply + 1] = kind
  reply[#reply + 1] = incarnation
  appendState(reply, times, owner)
  reply[#reply + 1] = value
  if isArchiving(incarnation) then
    writer, writesUntil = leaseOf(incarnation), redis.call('ZSCORE', KEYS[4], memberOf(incarnation))
  end
  rememberEnded(incarnation, createdAtOf(times))
  removeFromQueue(incarnation)
end
local youngest = tombstoneMs > 0 and youngestOfId()
if youngest then
  local isClaimed = redis.call('HEXISTS', KEYS[5], memberOf(youngest.name)) == 1
  local reason, endedAt = DELETED, now
  if not youngest.isLive and not isClaimed and ARGV[6] == '0' then
    reason, endedAt = youngest.reason, youngest.endedAt
  end
  keepTombstone(KEYS[9], youngest.owner, reason, endedAt, not youngest.isCurrent and youngest.endedAt)
end
local deletion = pendingDeletion()
for incarnation in string.gmatch(getNames('q'), '%S+') do
  if incarnation ~= deletion then
    local fields = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d', incarnation .. ':ow')
    appendEnded(0, incarnation, fields[1], fields[3], fields[2])
    removeFromBacklog(incarnation)
  end
end
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd', 'sv', 'su', 'o')
if fields[1] then
  local kind = 0
  if now < tonumber(fields[2]) then
    kind = 1
  end
  appendEnded(kind, fields[1], table.concat(fields, ' ', 3, 7), fields[11], fields[8])
  if tonumber(fields[10] or 0) > now then
    writer, writesUntil = fields[9], fields[10]
  end
  redis.call('DEL', KEYS[1])
end
if getNames('z') ~= '' then
  supersedeUpTo(nextSequence())
end
invalidateLoads()
if name ~= '' and not deletion then
  deletion = name
  local times = table.concat({ name, toInteger(now), toInteger(now), '-1', '-1' }, ' ')
  redis.call('HSET', KEYS[2], name .. ':m', times, name .. ':d', '', name .. ':x', '1', name .. ':o', nextSequence())
  setNames('q', name)
  local claimableAt = toInteger(now)
  if writer then
    setLease(name, writer, 'w', 0)
    claimableAt = writesUntil
  elseif token ~= '' then
    setLease(name, token, 'u', 0)
    claimableAt, reply[3] = toInteger(now + leaseMs), 1
  else
    setLease(name, '', '', 0)
  end
  redis.call('ZADD', KEYS[4], claimableAt, memberOf(name))
  extendIndexTtl(KEYS[4], retentionMs + leaseMs)
  extendIndexTtl(KEYS[5], retentionMs + leaseMs)
  extendTtl(KEYS[2], retentionMs)
elseif deletion then
  promoteNext()
end
reply[2] = deletion or ''
deleteIfEmpty()
if #reply > 3 or reply[2] ~= '' then
  cacheReply(KEYS[8], reply)
end
return reply
`,
)

/**
 * Deletes a reply that has arrived.
 *
 * KEYS reply
 *
 * Reply: the number of deleted keys.
 */
export const forget = new Script('forget', `return redis.call('UNLINK', KEYS[1])`)
