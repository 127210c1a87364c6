/**
 * The claim of an incarnation that a caller waits for. Needs `session` and `backlog`.
 *
 * - `putFirst`: with a token, claims it, unless a process is archiving it or has claimed it for a caller of
 *   its own. Without one, lets it be the first to be claimed, or where no process archives the next. A pause
 *   between two attempts is shortened to `maxPauseMs`. Returns `{2}` where it waits, and
 *   `{3, incarnation, isNew}` where it is claimed.
 */
export const firstClaim = `
local function putFirst(incarnation, ownToken, leaseMs, maxPauseMs, isFirst)
  local token, phase, attempts = leaseOf(incarnation)
  local claimableAt = tonumber(redis.call('ZSCORE', KEYS[4], memberOf(incarnation)) or 0)
  local isNew = redis.call('HEXISTS', KEYS[5], memberOf(incarnation)) == 1 and 0 or 1
  if claimableAt > now and token ~= '' then
    if token == ownToken then
      return { 3, incarnation, 0 }
    end
    if phase ~= '' or ownToken == '' then
      return { 2 }
    end
  elseif claimableAt > now then
    local retryAt = now + maxPauseMs
    if claimableAt > retryAt then
      redis.call('ZADD', KEYS[4], toInteger(retryAt), memberOf(incarnation))
    end
    return { 2 }
  end
  redis.call('ZREM', KEYS[3], memberOf(incarnation))
  local untilMs = isFirst and 0 or now
  if ownToken ~= '' then
    setLease(incarnation, ownToken, 'u', attempts)
    untilMs = now + leaseMs
  elseif isNew == 0 then
    setLease(incarnation, '', '', attempts)
  end
  redis.call('ZADD', KEYS[4], toInteger(untilMs), memberOf(incarnation))
  extendIndexTtl(KEYS[4], retentionMs + leaseMs)
  extendIndexTtl(KEYS[5], retentionMs + leaseMs)
  if ownToken == '' then
    return { 2 }
  end
  return { 3, incarnation, isNew }
end
`
