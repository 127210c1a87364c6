import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Ends every incarnation of an id except the dead letters, which are not revived any more.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, reply
 * ARGV id, retentionMs
 *
 * Reply: `{now}`, then `kind, incarnation, times, value` of each. `kind`: 0 expired, 1 live, 2 being
 * archived.
 */
export const remove = new Script(
  'remove',
  session,
  backlog,
  `
local reply = cachedReply(KEYS[8])
if reply then
  return reply
end
reply = { now }
allowWhenFull(KEYS[2])
local function appendEnded(kind, incarnation, parts, value)
  if kind == 0 and redis.call('HEXISTS', KEYS[5], memberOf(incarnation)) == 1 then
    kind = 2
  end
  reply[#reply + 1] = kind
  reply[#reply + 1] = incarnation
  for _, part in ipairs(parts) do
    reply[#reply + 1] = part
  end
  reply[#reply + 1] = value
  rememberEnded(incarnation, parts[2])
  removeFromQueue(incarnation)
end
for incarnation in string.gmatch(getNames('q'), '%S+') do
  local fields = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d')
  local parts = {}
  for part in string.gmatch(fields[1], '%S+') do
    parts[#parts + 1] = part
  end
  appendEnded(0, incarnation, parts, fields[2])
  removeFromBacklog(incarnation)
end
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd')
if fields[1] then
  local kind = 0
  if now < tonumber(fields[2]) then
    kind = 1
  end
  appendEnded(kind, fields[1], { fields[3], fields[4], fields[5], fields[6], fields[7] }, fields[8])
  redis.call('DEL', KEYS[1])
end
if getNames('z') ~= '' then
  supersedeUpTo(nextSequence())
end
invalidateLoads()
deleteIfEmpty()
if #reply > 1 then
  cacheReply(KEYS[8], reply)
end
return reply
`,
)

/**
 * Deletes a reply that has arrived.
 *
 * KEYS reply
 *
 * Reply: the number of deleted keys.
 */
export const forget = new Script('forget', `return redis.call('UNLINK', KEYS[1])`)
