/**
 * The lease of a life that was claimed, in the hash under `KEYS[5]`: `token:mark:attempts`.
 *
 * The token is empty where nobody has it. The mark is `b` when its archive has begun, and `u` when it was
 * claimed for a caller that waits for it; a claim with neither mark only waits in its process, and may be
 * taken away. `attempts` counts the archives that began.
 *
 * - `leaseOf`: token, mark and attempts. A release without marks wrote `token:attempts`.
 * - `isLeased`: whether a process has it, by the score in the queue under `KEYS[4]`.
 * - `isArchiving`: whether it is being archived.
 */
export const lease = `
local function memberOf(incarnation)
  return incarnation .. ':' .. id
end
local function leaseOf(incarnation)
  local token, phase, attempts =
    string.match(redis.call('HGET', KEYS[5], memberOf(incarnation)) or '', '^([^:]*):?(%a*):(%d+)$')
  return token or '', phase or '', tonumber(attempts or 0)
end
local function setLease(incarnation, token, phase, attempts)
  local held = token
  if phase ~= '' then
    held = token .. ':' .. phase
  end
  redis.call('HSET', KEYS[5], memberOf(incarnation), held .. ':' .. toInteger(attempts))
end
local function isLeased(incarnation)
  local untilMs = redis.call('ZSCORE', KEYS[4], memberOf(incarnation))
  return untilMs and tonumber(untilMs) > now and leaseOf(incarnation) ~= ''
end
local function isArchiving(incarnation)
  local _, phase = leaseOf(incarnation)
  return phase == 'b' and isLeased(incarnation)
end
`
