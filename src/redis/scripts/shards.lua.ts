import { ReadOnlyScript, Script } from '../client/script.ts'

/** A text that a client changes if it parses replies as JSON. */
export const probe = '[1.0]'

/**
 * Reads the number of shards with which the data were stored, and the eviction policy.
 *
 * KEYS config
 *
 * Reply: `{shards or 0, TTL in ms, policy, probe}`. `policy` is `maxmemory-policy`, or empty where INFO is
 * forbidden. `probe` shows whether the client returns text unchanged.
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
 * Stores the number of shards if there is none, and lengthens the TTL of the key.
 *
 * KEYS config
 * ARGV shards, TTL in ms
 *
 * Reply: the stored number.
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
