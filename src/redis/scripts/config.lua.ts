import { Script } from '../script.ts'

/**
 * Notes the number of shards, which is a part of the format of the data, or compares it with the one that is noted.
 *
 * KEYS config · ARGV shards, TTL in ms
 *
 * `{shards, policy}`; policy is `maxmemory-policy`, or empty where INFO is forbidden.
 */
export const config = new Script(
  'config',
  `
local shards = redis.call('GET', KEYS[1])
if not shards then
  shards = ARGV[1]
  redis.call('SET', KEYS[1], shards, 'PX', ARGV[2])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
local policy = ''
local info = redis.pcall('INFO', 'memory')
if type(info) == 'string' then
  policy = string.match(info, 'maxmemory_policy:(%S+)') or ''
end
return { shards, policy }
`,
)
