import { ReadOnlyScript, Script } from '../script.ts'

/** Notes that a process archives. KEYS archives · ARGV TTL in ms */
export const noteArchives = new Script(
  'note-archives',
  `
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
`,
)

/** Whether the note stands. KEYS archives · `{now, stands}` */
export const readArchives = new ReadOnlyScript(
  'read-archives',
  `return { now, redis.call('EXISTS', KEYS[1]) }`,
)
