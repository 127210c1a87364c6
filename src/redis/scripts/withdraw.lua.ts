import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { marks } from './marks.lua.ts'

/**
 * Takes back the mark of a caller who no longer waits for the turn lock.
 *
 * KEYS session · ARGV id, retentionMs, token · 1
 */
export const withdraw = new Script(
  'withdraw',
  life,
  marks,
  `
evenIfFull(KEYS[1])
local marks, own = waiting(redis.call('HGET', KEYS[1], 'lq') or '', ARGV[3])
if own then
  table.remove(marks, own)
  setMarks(marks)
end
return 1
`,
)
