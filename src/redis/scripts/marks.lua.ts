/**
 * The marks of those who wait for the turn lock: the field `lq` of the session, `token=until …`, first come first.
 *
 * A lock that is free goes to the first of them. Otherwise a process that always has a turn waiting would keep the others
 * out: it asks for the lock in the moment in which it releases it. A mark that is not renewed lapses, so that a process
 * that died blocks the others no longer than `markMs`. A process that waits asks again at least ten times in that time.
 *
 * - `waiting`: the marks that have not lapsed, the place of one's own among them, and how long that lasts.
 * - `setMarks`: writes them down.
 */
export const marks = `
local markMs = 1000
local function waiting(lq, own)
  local marks, place, rest = {}, nil, 0
  for token, til in string.gmatch(lq, '(%S+)=(%d+)') do
    if tonumber(til) > now then
      marks[#marks + 1] = token .. '=' .. til
      if token == own then
        place, rest = #marks, tonumber(til) - now
      end
    end
  end
  return marks, place, rest
end
local function setMarks(marks)
  if #marks == 0 then
    redis.call('HDEL', KEYS[1], 'lq')
  else
    redis.call('HSET', KEYS[1], 'lq', table.concat(marks, ' '))
  end
end
`
