import { ReadOnlyScript } from '../client/script.ts'

/**
 * A page of a set that is sorted by time, from a score on.
 *
 * KEYS set · ARGV score or 'now', how many of that score to pass over, limit, how many ms before now
 *
 * `member, score` of each.
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

/** Which of some lives live. KEYS deadlines · ARGV members · for each 1 or 0 */
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

/** KEYS deadlines · how many sessions there are */
export const count = new ReadOnlyScript('count', `return redis.call('ZCARD', KEYS[1])`)

/** KEYS set that is sorted by time · ARGV how many ms before now · how many members are not older */
export const countSince = new ReadOnlyScript(
  'count-since',
  `return redis.call('ZCOUNT', KEYS[1], toInteger(now + 1 - tonumber(ARGV[1])), '+inf')`,
)
