/**
 * Creation of a session, for the scripts that create one. Needs `session` and `backlog`.
 *
 * - `createSession`: creates the incarnation ARGV[3] from ARGV[4] to ARGV[6], bound to the owner ARGV[8] if
 *   that is not ''; with a token, its turn lock is taken. One that was read from a store keeps its
 *   `createdAt`. Its version is its own name. Versions are never a counter: a server that lost its last
 *   writes would give one number to two states.
 * - `refusalFor`: why a call for the owner ARGV[8] may not create a session instead of an expired one, which
 *   is called `current` as long as KEYS[1] has it: 5 if the newest state of the id is another's, 6 if that
 *   may be in the store; else nil. ARGV[9] names the states that matter: `q` those that are still to be
 *   archived, `z` the dead letter that would be revived, `s` what is in the store.
 * - `wasCreated`: whether an earlier call created the incarnation, and it has left KEYS[1] since.
 */
export const creation = `
local function createSession(token, leaseMs, storedAt, storedState)
  local createdAt = math.min(storedAt or now, now)
  local idleMs, maxAgeMs, maxAgeAt, lockUntil = tonumber(ARGV[5]), tonumber(ARGV[6]), -1, 0
  if maxAgeMs >= 0 then
    maxAgeAt = math.min(createdAt + math.ceil(maxAgeMs) + 1, NEVER)
  end
  redis.call('HSET', KEYS[1], 'g', ARGV[3], 'v', ARGV[3], 'c', toInteger(createdAt), 'i', ARGV[5], 'm', toInteger(maxAgeAt), 'd', ARGV[4])
  if carried and carried[1] then
    redis.call('HSET', KEYS[1], 'sv', carried[1], 'su', carried[2])
  end
  if ARGV[8] ~= '' then
    redis.call('HSET', KEYS[1], 'o', ARGV[8])
  end
  if token ~= '' then
    lockUntil = now + leaseMs
    redis.call('HSET', KEYS[1], 'lo', token, 'lu', toInteger(lockUntil))
  end
  if storedState then
    redis.call('HSET', KEYS[1], 'k', storedState)
    -- By its age, rememberEnded would not remember it.
    rememberOperations({ ARGV[3] })
  end
  invalidateLoads()
  if getNames('z') ~= '' then
    nextSequence()
  end
  setDeadline(ARGV[3], now, deadlineOf(now, idleMs, maxAgeAt, lockUntil))
  return { 1, now, toInteger(createdAt), toInteger(maxAgeAt) }
end
local function newestWaiting()
  local newest, newestSequence
  for name in string.gmatch(getNames('q'), '%S+') do
    local sequence = tonumber(redis.call('HGET', KEYS[2], name .. ':o') or 0)
    if not newest or sequence >= newestSequence then
      newest, newestSequence = name, sequence
    end
  end
  return newest
end
local function refusalFor(current)
  local function matters(state)
    return string.find(ARGV[9], state, 1, true) ~= nil
  end
  if ARGV[8] == '' then
    return nil
  end
  if current and matters('q') then
    return not isAdmitted(ARGV[8], redis.call('HGET', KEYS[1], 'o')) and 5 or nil
  end
  local older = matters('q') and newestWaiting() or matters('z') and newestDeadLetter()
  if older and redis.call('HEXISTS', KEYS[2], older .. ':x') == 0 then
    return not isAdmitted(ARGV[8], redis.call('HGET', KEYS[2], older .. ':ow')) and 5 or nil
  end
  return matters('s') and 6 or nil
end
local function wasCreated(incarnation)
  return redis.call('ZSCORE', KEYS[7], incarnation) or redis.call('HEXISTS', KEYS[2], incarnation .. ':m') == 1
end
`
