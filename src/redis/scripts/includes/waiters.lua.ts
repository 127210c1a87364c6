/**
 * The marks of those who wait for the turn lock: the field `lq` of the session, `token=until …`, first come
 * first.
 *
 * A lock that is free goes to the first of them. Otherwise a process that always has a turn waiting would
 * keep the others out: it asks for the lock in the moment in which it releases it. A mark that is not renewed
 * lapses, so that a process that died blocks the others no longer than `waiterTtlMs`. A process that waits
 * asks again at least ten times in that time.
 *
 * - `readWaiters`: the marks that have not lapsed, the place of one's own among them, and how long that
 *   lasts.
 * - `writeWaiters`: writes them down.
 */
export const waiters = `
local waiterTtlMs = 1000
local function readWaiters(waiterList, ownToken)
  local waiters, ownIndex, remainingMs = {}, nil, 0
  for token, untilMs in string.gmatch(waiterList, '(%S+)=(%d+)') do
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
