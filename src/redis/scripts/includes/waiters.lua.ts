/**
 * The processes that wait for the turn lock of a session: `lq`, as `token=until …`, first come, first served.
 *
 * A free lock goes to the first of them. Otherwise a process that always has a turn waiting would keep the
 * others out, because it requests the lock at the moment it releases it. An entry that is not renewed lapses
 * after `waiterTtlMs`, so that a dead process does not block the others for longer. A waiting process tries
 * at least ten times in that time.
 *
 * - `readWaiters`: the entries that have not lapsed, the index of one's own, and how long that lasts, in ms.
 * - `writeWaiters`: writes the entries.
 */
export const waiters = `
local waiterTtlMs = 1000
local function readWaiters(waiterList, ownToken)
  local waiters, ownIndex, remainingMs = {}, nil, 0
  for token, untilMs in string.gmatch(waiterList or '', '(%S+)=(%d+)') do
    if tonumber(untilMs) > now then
      waiters[#waiters + 1] = token .. '=' .. untilMs
      if token == ownToken then
        ownIndex, remainingMs = #waiters, tonumber(untilMs) - now
      end
    end
  end
  return waiters, ownIndex, remainingMs
end
local function writeWaiters(waiters)
  if #waiters == 0 then
    redis.call('HDEL', KEYS[1], 'lq')
  else
    redis.call('HSET', KEYS[1], 'lq', table.concat(waiters, ' '))
  end
end
`
