import { ReadOnlyScript } from '../client/script.ts'

/**
 * Reads a page of a sorted set, from a score on.
 *
 * KEYS set
 * ARGV score or 'now', number of members with that score to skip, limit, ms before now
 *
 * Reply: `member, score` of each.
 */
export const page = new ReadOnlyScript(
  'page',
  `
local from = ARGV[1]
if from == 'now' then
  from = toInteger(now + 1 - tonumber(ARGV[4]))
end
return redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf', 'WITHSCORES', 'LIMIT', ARGV[2], ARGV[3])
`,
)

/**
 * Checks which incarnations are live.
 *
 * KEYS deadlines
 * ARGV members
 *
 * Reply: for each member 1 or 0.
 */
export const alive = new ReadOnlyScript(
  'alive',
  `
local reply = {}
for index, score in ipairs(redis.call('ZMSCORE', KEYS[1], unpack(ARGV))) do
  reply[index] = score and tonumber(score) > now and 1 or 0
end
return reply
`,
)

/**
 * Counts the sessions of a shard.
 *
 * KEYS deadlines
 *
 * Reply: the number.
 */
export const count = new ReadOnlyScript('count', `return redis.call('ZCARD', KEYS[1])`)

/**
 * Counts the members of a set by time that are at most so old.
 *
 * KEYS set
 * ARGV age in ms
 *
 * Reply: the number.
 */
export const countSince = new ReadOnlyScript(
  'count-since',
  `return redis.call('ZCOUNT', KEYS[1], toInteger(now + 1 - tonumber(ARGV[1])), '+inf')`,
)
