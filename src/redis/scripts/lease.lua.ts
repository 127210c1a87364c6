/**
 * The lease of a life that was claimed, in the hash under `KEYS[5]`: `token:mark:attempts`.
 *
 * The token is empty where nobody has it. The mark is `b` when its archive has begun, and `u` when it was claimed for a
 * caller that waits for it; a claim with neither mark only waits in its process, and may be taken away. `attempts` counts
 * the archives that began.
 *
 * - `leaseOf`: token, mark and attempts. A release without marks wrote `token:attempts`.
 * - `isLeased`: whether a process has it, by the score in the queue under `KEYS[4]`.
 * - `isBegun`: whether it is being archived.
 */
export const lease = `
local function member(g)
  return g .. ':' .. id
end
local function leaseOf(g)
  local token, mark, attempts =
    string.match(redis.call('HGET', KEYS[5], member(g)) or '', '^([^:]*):?(%a*):(%d+)$')
  return token or '', mark or '', tonumber(attempts or 0)
end
local function setLease(g, token, mark, attempts)
  local held = token
  if mark ~= '' then
    held = token .. ':' .. mark
  end
  redis.call('HSET', KEYS[5], member(g), held .. ':' .. int(attempts))
end
local function isLeased(g)
  local til = redis.call('ZSCORE', KEYS[4], member(g))
  return til and tonumber(til) > now and leaseOf(g) ~= ''
end
local function isBegun(g)
  local _, mark = leaseOf(g)
  return mark == 'b' and isLeased(g)
end
`
