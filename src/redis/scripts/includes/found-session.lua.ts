/**
 * The reply of a script that looks for the live session of an id. Needs `session`.
 *
 * - `{0, now, awaitsArchive}`: there is none; `awaitsArchive` is 1 while an older incarnation is not
 *   archived.
 * - `{1, now, incarnation, state, isHeld, isAcquired, isSent, value}`: live.
 * - `{2, now}`: live, and another's than the owner's.
 *
 * `fields` of the session begin with `g, v, c, a, e, i, m, lu, h, o`.
 */
export const foundSession = `
local function isLive(fields)
  return fields[1] and now < tonumber(fields[5])
end
local function absentReply(fields)
  local awaitsArchive = fields[1] or redis.call('HEXISTS', KEYS[2], 'q') == 1
  return { 0, now, awaitsArchive and 1 or 0 }
end
local function unknownValue(fields, known)
  if known ~= fields[1] .. ':' .. fields[2] then
    return redis.call('HGET', KEYS[1], 'd')
  end
end
local function liveReply(fields, lastActiveAt, isHeld, isAcquired, value)
  return {
    1, now, fields[1],
    fields[10] or '', fields[2], fields[3], lastActiveAt, fields[6], fields[7],
    isHeld and 1 or 0, isAcquired and 1 or 0, value and 1 or 0, value or ''
  }
end
`
