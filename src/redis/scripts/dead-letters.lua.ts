import { ReadOnlyScript, Script } from '../client/script.ts'
import { backlog } from './includes/backlog.lua.ts'
import { session } from './includes/session.lua.ts'

/**
 * Appends a dead letter to a reply: `incarnation, state, attempts, failedAt, reason, value`. Returns the size
 * of its value in bytes.
 */
const appendDeadLetter = `
local function appendDeadLetter(reply, incarnation)
  local fields = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':d', incarnation .. ':ow')
  reply[#reply + 1] = incarnation
  appendState(reply, fields[1], fields[3])
  reply[#reply + 1] = fields[2]
  return #fields[2]
end
`

/**
 * Reads dead letters of an id until their values have reached `size` bytes.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations
 * ARGV id, retentionMs, size, then the incarnations
 *
 * Reply: `{now, read}`, then each dead letter as in {@link appendDeadLetter}. `read` is the number of
 * incarnations that were looked up; those that are no longer dead letters are left out.
 */
export const readDead = new ReadOnlyScript(
  'read-dead',
  session,
  backlog,
  appendDeadLetter,
  `
local reply, size, read = { now, 0 }, 0, 0
for index = 4, #ARGV do
  if size >= tonumber(ARGV[3]) then
    break
  end
  read = read + 1
  local incarnation = ARGV[index]
  local failedAt = redis.call('ZSCORE', KEYS[6], memberOf(incarnation))
  if failedAt and tonumber(failedAt) > now - retentionMs and redis.call('HEXISTS', KEYS[2], incarnation .. ':d') == 1 then
    size = size + appendDeadLetter(reply, incarnation)
  end
end
reply[2] = read
return reply
`,
)

/**
 * Drops dead letters of an id, oldest first, until their values have reached `size` bytes.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, reply
 * ARGV id, retentionMs, size
 *
 * Reply: `{now, remaining}`, then each dropped dead letter as in {@link appendDeadLetter}.
 */
export const dropDead = new Script(
  'drop-dead',
  session,
  backlog,
  appendDeadLetter,
  `
local reply = cachedReply(KEYS[8])
if reply then
  return reply
end
allowWhenFull(KEYS[2])
dropOldDeadLetters()
local size, remaining = 0, {}
reply = { now, 0 }
for incarnation in string.gmatch(getNames('z'), '%S+') do
  if size < tonumber(ARGV[3]) then
    size = size + appendDeadLetter(reply, incarnation)
    deleteEntry(incarnation)
    redis.call('ZREM', KEYS[6], memberOf(incarnation))
  else
    remaining[#remaining + 1] = incarnation
  end
end
reply[2] = #remaining
setNames('z', table.concat(remaining, ' '))
deleteIfEmpty()
if #reply > 2 then
  cacheReply(KEYS[8], reply)
end
return reply
`,
)

/**
 * Moves the dead letters of an id back to the backlog, ahead of its younger incarnations.
 *
 * KEYS session, backlog, deadlines, queue, leases, dead letters, operations, reply
 * ARGV id, retentionMs
 *
 * Reply: the number of dead letters.
 */
export const retryDead = new Script(
  'retry-dead',
  session,
  backlog,
  `
local reply = cachedReply(KEYS[8])
if reply then
  return reply
end
allowWhenFull(KEYS[2])
dropOldDeadLetters()
local deadLetters = {}
for incarnation in string.gmatch(getNames('z'), '%S+') do
  local fields = redis.call('HMGET', KEYS[2], incarnation .. ':m', incarnation .. ':o')
  redis.call('HSET', KEYS[2], incarnation .. ':m', string.match(fields[1], '^%S+ %S+ %S+ %S+ %S+'))
  redis.call('ZREM', KEYS[6], memberOf(incarnation))
  deadLetters[#deadLetters + 1] = { incarnation, tonumber(fields[2] or 0), #deadLetters }
end
if #deadLetters == 0 then
  deleteIfEmpty()
  return { 0 }
end
-- By age: one that waited for a younger one may have failed after it.
table.sort(deadLetters, function(one, other)
  if one[2] ~= other[2] then
    return one[2] < other[2]
  end
  return one[3] < other[3]
end)
local names = ''
for _, deadLetter in ipairs(deadLetters) do
  names = joinNames(names, deadLetter[1])
end
setNames('z', '')
local queue = getNames('q')
local first = firstName(queue)
if first and isArchiving(first) then
  setNames('q', joinNames(joinNames(first, names), withoutName(queue, first)))
else
  if first then
    -- The archive of the first has not begun: its claim is taken away, so that it waits again.
    local _, _, attempts = leaseOf(first)
    redis.call('ZREM', KEYS[4], memberOf(first))
    if redis.call('HEXISTS', KEYS[5], memberOf(first)) == 1 then
      setLease(first, '', '', attempts)
    end
  end
  setNames('q', joinNames(names, queue))
end
local current = redis.call('HGET', KEYS[1], 'g')
if not (current and isArchiving(current)) then
  promoteNext()
end
extendTtl(KEYS[2], retentionMs)
reply = { #deadLetters }
cacheReply(KEYS[8], reply)
return reply
`,
)
