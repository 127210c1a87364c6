import { ReadOnlyScript, Script } from '../client/script.ts'

/** A text that a client changes which reads texts as JSON. */
export const probe = '[1.0]'

/**
 * Reads the note of the number of shards, which is a part of the format of the data.
 *
 * KEYS config
 *
 * `{shards or 0, TTL in ms, policy, probe}`; policy is `maxmemory-policy`, or empty where INFO is forbidden;
 * the probe shows whether the client hands out text as it is.
 */
export const readShards = new ReadOnlyScript(
  'read-shards',
  `
local shards = redis.call('GET', KEYS[1]) or '0'
local policy = ''
local info = redis.pcall('INFO', 'memory')
if type(info) == 'string' then
  policy = string.match(info, 'maxmemory_policy:(%S+)') or ''
end
return { shards, redis.call('PTTL', KEYS[1]), policy, '${probe}' }
`,
)

/**
 * Notes the number of shards where none is noted, and lets the note live longer.
 *
 * KEYS config · ARGV shards, TTL in ms
 *
 * The number that is noted now.
 */
export const storeShards = new Script(
  'store-shards',
  `
local shards = redis.call('GET', KEYS[1])
if not shards then
  shards = ARGV[1]
  redis.call('SET', KEYS[1], shards, 'PX', ARGV[2])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return shards
`,
)
