import { Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { creation } from './includes/creation.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Creates a session in place of the live one, which ends.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, reply
 * ARGV id, retentionMs, incarnation, value, idle timeout in ms or -1, maxAgeMs or -1, live sessions per shard
 * or -1, owner or '', states whose owner matters
 *
 * Reply:
 * - `{1, now, created, maximum-age deadline}`, then `incarnation, state, value` of the session that ended.
 * - `{2, now}`: created by an earlier call, and ended since.
 * - `{3, now}`: the shard is full, and there is no session to replace.
 * - `{5, now}`, `{6, now}`: the session is another's, or may be: `refusalFor`.
 */
export const replace = new Script(
  'replace',
  session,
  backlog,
  creation,
  `
local cached = cachedReply(KEYS[8])
if cached then
  return cached
end
local fields = redis.call('HMGET', KEYS[1], 'g', 'e', 'v', 'c', 'a', 'i', 'm', 'd', 'o')
if fields[1] == ARGV[3] then
  return { 1, now, fields[4], fields[7] }
end
if wasCreated(ARGV[3]) then
  return { 2, now }
end
local isLive = fields[1] and now < tonumber(fields[2])
local refusal
if not isLive then
  refusal = refusalFor(fields[1])
elseif not isAdmitted(ARGV[8], fields[9]) then
  refusal = 5
end
if refusal then
  return { refusal, now }
end
if not isLive and isFull(tonumber(ARGV[7])) then
  return { 3, now }
end
if isLive then
  carrySave()
  redis.call('DEL', KEYS[1])
  removeFromQueue(fields[1])
  rememberEnded(fields[1], fields[4])
elseif fields[1] then
  moveToBacklog(fields[1])
end
local reply = createSession('', 0)
if isLive then
  for _, part in ipairs({ fields[1], fields[9] or '', fields[3], fields[4], fields[5], fields[6], fields[7], fields[8] }) do
    reply[#reply + 1] = part
  end
  cacheReply(KEYS[8], reply)
end
return reply
`,
)
