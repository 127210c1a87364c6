/**
 * The lease of a claimed incarnation: `token:phase:attempts` in the hash KEYS[5].
 *
 * The token is empty while no process has the claim. The phase is `b` once the archive has begun, `u` for a
 * claim on behalf of a waiting caller, and `w` for a deletion that waits until the write to the store under
 * this token has settled. A claim without a phase is only queued in its process, and may be
 * taken away. `attempts` counts the archives that began.
 *
 * - `memberOf`: the member that stands for an incarnation in the sorted sets.
 * - `leases`: the leases that were read in advance, by member.
 * - `leaseOf`: token, phase and attempts. An older release wrote no phase: `token:attempts`.
 * - `isLeased`: whether the lease lasts, by the score in the queue KEYS[4].
 * - `isArchiving`: whether a process is archiving the incarnation, or may still write an older state.
 */
export const lease = `
local function memberOf(incarnation)
  return incarnation .. ':' .. id
end
local leases = {}
local function leaseOf(incarnation)
  local member = memberOf(incarnation)
  local lease = leases[member]
  if lease == nil then
    lease = redis.call('HGET', KEYS[5], member)
  end
  local token, phase, attempts = string.match(lease or '', '^([^:]*):?(%a*):(%d+)$')
  return token or '', phase or '', tonumber(attempts or 0)
end
local function leaseText(token, phase, attempts)
  if phase ~= '' then
    token = token .. ':' .. phase
  end
  return token .. ':' .. toInteger(attempts)
end
local function setLease(incarnation, token, phase, attempts)
  leases[memberOf(incarnation)] = nil
  redis.call('HSET', KEYS[5], memberOf(incarnation), leaseText(token, phase, attempts))
end
local function isLeased(incarnation)
  local untilMs = redis.call('ZSCORE', KEYS[4], memberOf(incarnation))
  return untilMs and tonumber(untilMs) > now and leaseOf(incarnation) ~= ''
end
local function isArchiving(incarnation)
  local _, phase = leaseOf(incarnation)
  return (phase == 'b' or phase == 'w') and isLeased(incarnation)
end
`
