import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { firstClaim } from './includes/first-claim.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Checks whether a deletion from the store is done; one that waits is put first, or claimed:
 * `first-claim.lua.ts`.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations
 * ARGV id, retentionMs, deletion, token or '', leaseMs, longest pause in ms
 *
 * Reply:
 * - `{0}`: it is done.
 * - `{2, failures}`: it waits, or is under way; `failures` attempts have failed so far.
 * - `{3, failures}`: claimed.
 */
export const hurryDeletion = new Script(
  'hurry-deletion',
  session,
  backlog,
  firstClaim,
  `
local deletion = ARGV[3]
if redis.call('HEXISTS', KEYS[2], deletion .. ':x') == 0 then
  return { 0 }
end
allowWhenFull(KEYS[5])
local _, phase, failures = leaseOf(deletion)
if phase == 'b' then
  failures = failures - 1
end
local step = { 2 }
if firstName(getNames('q')) == deletion then
  step = putFirst(deletion, ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), true)
end
return { step[1], failures }
`,
)
