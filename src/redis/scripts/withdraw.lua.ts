import { Script } from '../client/script.ts'
import { session } from './includes/session.lua.ts'
import { waiters } from './includes/waiters.lua.ts'

/**
 * Removes a process that no longer waits for the turn lock.
 *
 * KEYS session
 * ARGV id, retentionMs, token
 *
 * Reply: 1.
 */
export const withdraw = new Script(
  'withdraw',
  session,
  waiters,
  `
allowWhenFull(KEYS[1])
local waiters, ownIndex = readWaiters(redis.call('HGET', KEYS[1], 'lq') or '', ARGV[3])
if ownIndex then
  table.remove(waiters, ownIndex)
  writeWaiters(waiters)
end
return 1
`,
)
