import { ReadOnlyScript, Script } from '../client/script.ts'

/**
 * Records that some process archives.
 *
 * KEYS heartbeat
 * ARGV TTL in ms
 *
 * Reply: 1.
 */
export const writeHeartbeat = new Script(
  'write-heartbeat',
  `
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
`,
)

/**
 * Reads whether some process archives.
 *
 * KEYS heartbeat
 *
 * Reply: `{now, isPresent}`.
 */
export const readHeartbeat = new ReadOnlyScript(
  'read-heartbeat',
  `return { now, redis.call('EXISTS', KEYS[1]) }`,
)
