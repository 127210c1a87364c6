import { ReadOnlyScript } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'
import { tombstones } from './includes/tombstones.lua.ts'

/**
 * Reads why and when the last incarnation of an id ended.
 *
 * One that has expired is told of before a process has claimed it. With `canArchive` it is not gone from then
 * on, until its archive is acknowledged. With `canLoad` the newest dead letter is not gone either, since it
 * can be revived. With an owner, only the end of a session of that owner is told.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, tombstones
 * ARGV id, retentionMs, canArchive, canLoad, owner or '', tombstoneMs, ''
 *
 * Reply: `{reason, endedAt}`, where `reason` is a code of `tombstones.lua.ts`; -1 if no end is told.
 */
export const whyGone = new ReadOnlyScript(
  'why-gone',
  session,
  backlog,
  tombstones,
  `
local canArchive, canLoad, owner = ARGV[3] == '1', ARGV[4] == '1', ARGV[5]
local youngest = youngestOfId()
if youngest and youngest.isLive then
  return -1
end
local reason, endedAt = readTombstone(KEYS[8], '')
if youngest and (youngest.isCurrent or not endedAt or endedAt <= youngest.endedAt) then
  local isClaimed = redis.call('HEXISTS', KEYS[5], memberOf(youngest.name)) == 1
  if canArchive and (isClaimed or not youngest.isCurrent) or owner ~= '' and owner ~= youngest.owner then
    return -1
  end
  reason, endedAt = youngest.reason, youngest.endedAt
elseif canLoad and findNewestDeadLetter() or not readTombstone(KEYS[8], owner) then
  return -1
end
if hasLapsed(endedAt) then
  return -1
end
return { reason, endedAt }
`,
)
