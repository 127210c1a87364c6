import { ReadOnlyScript, Script } from '../client/script.ts'

/** Notes that a process archives. KEYS archives · ARGV TTL in ms */
export const writeHeartbeat = new Script(
  'write-heartbeat',
  `
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
`,
)

/** Whether the note stands. KEYS archives · `{now, stands}` */
export const readHeartbeat = new ReadOnlyScript(
  'read-heartbeat',
  `return { now, redis.call('EXISTS', KEYS[1]) }`,
)
