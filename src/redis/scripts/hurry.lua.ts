import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { line } from './line.lua.ts'

/**
 * Somebody waits for the older life of an id: cuts the pause before its next try short.
 *
 * KEYS session, older, deadlines, queue, leases · ARGV id, retentionMs, the longest pause in ms
 */
export const hurry = new Script(
  'hurry',
  life,
  line,
  `
local first = headOf(getLine('q')) or redis.call('HGET', KEYS[1], 'g')
if first and not isLeased(first) then
  local readyAt, soon = redis.call('ZSCORE', KEYS[4], member(first)), now + tonumber(ARGV[3])
  if readyAt and tonumber(readyAt) > soon then
    redis.call('ZADD', KEYS[4], int(soon), member(first))
  end
end
return 1
`,
)
