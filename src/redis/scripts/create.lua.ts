import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { creation } from './includes/creation.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Creates a session where there is no live one; an expired one moves to the backlog.
 *
 * A loaded value (`isLoaded` is 1) must be the newest state. So no older incarnation may wait to be archived
 * or be the newest dead letter, and since the load began none may have been created or archived, nor the id
 * deleted.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations
 * ARGV id, retentionMs, incarnation, value, idle timeout in ms or -1, maxAgeMs or -1, live sessions per shard
 * or -1, owner or '', token or '', leaseMs, isLoaded, name of the loaded state; where it was read from a
 * store also its creation time and its `k`
 *
 * Reply:
 * - `{0, now}`: there is a live session, or a newer state than the loaded one.
 * - `{1, now, created, maximum-age deadline}`: created, by this call or an earlier one.
 * - `{2, now}`: created by an earlier call, and ended since.
 * - `{3, now}`: the shard is full.
 */
export const create = new Script(
  'create',
  session,
  backlog,
  creation,
  `
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'c', 'm')
if fields[1] == ARGV[3] then
  return { 1, now, fields[3], fields[4] }
end
if wasCreated(ARGV[3]) then
  return { 2, now }
end
if fields[1] and now < tonumber(fields[2]) then
  return { 0, now }
end
if ARGV[11] == '1' and (fields[1] or getNames('q') ~= '' or getNames('ld') ~= ARGV[12] or newestDeadLetter()) then
  return { 0, now }
end
if isFull(tonumber(ARGV[7])) then
  return { 3, now }
end
if fields[1] then
  moveToBacklog(fields[1])
end
return createSession(ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[13]), ARGV[14])
`,
)
