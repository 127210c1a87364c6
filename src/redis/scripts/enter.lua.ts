import { Script } from '../script.ts'
import { life } from './life.lua.ts'
import { marks } from './marks.lua.ts'

/**
 * Reads the live session, and as `flags` say touches it (`t`), sends its value (`d`) unless the caller knows that
 * version, takes its turn lock (`l`) or a hold (`h`) under a token, waits for the lock (`w`), or asks the one who has the
 * lock to stop (`i`).
 *
 * A lock that is free goes to the first of those who wait; a caller who interrupts goes ahead of them.
 *
 * KEYS session, older, deadlines · ARGV id, retentionMs, known `g:v`, flags, token, leaseMs
 *
 * `{0, now, waits}`: there is none; `waits` is 1 while an older life is not archived yet.
 * `{1, now, g, v, c, a, i, m, held, taken, sent, value}`: it lives.
 *
 * Repeated with the same token it takes nothing twice.
 */
export const enter = new Script(
  'enter',
  life,
  marks,
  `
local flags = ARGV[4]
local function is(flag)
  return string.find(flags, flag, 1, true) ~= nil
end
local f = redis.call('HMGET', KEYS[1], 'g', 'v', 'c', 'a', 'e', 'i', 'm', 'lo', 'lu', 'h', 'lq')
local g = f[1]
if not g or now >= tonumber(f[5]) then
  local waits = 0
  if g or redis.call('HEXISTS', KEYS[2], 'q') == 1 then
    waits = 1
  end
  return { 0, now, waits }
end
local a, i, m = tonumber(f[4]), tonumber(f[6]), tonumber(f[7])
local lo, lu, h = f[8] or '', tonumber(f[9] or 0), f[10] or ''
local token, lease = ARGV[5], tonumber(ARGV[6])
local taken, written = 0, false
if is('l') then
  local marks, own, rest = waiting(f[11] or '', token)
  if lo == token or (lu <= now and (own == 1 or #marks == 0 or is('i'))) then
    taken, written = 1, true
    lu = now + lease
    redis.call('HSET', KEYS[1], 'lo', token, 'lu', int(lu))
    redis.call('HDEL', KEYS[1], 'ir')
    if own then
      table.remove(marks, own)
    end
    if f[11] then
      setMarks(marks)
    end
  else
    if is('i') and lu > now then
      redis.call('HSET', KEYS[1], 'ir', '1')
    end
    if is('w') and rest < markMs * 3 / 4 then
      local mark = token .. '=' .. int(now + markMs)
      if own then
        marks[own] = mark
      else
        table.insert(marks, is('i') and 1 or #marks + 1, mark)
      end
      setMarks(marks)
    end
  end
elseif is('h') then
  taken = 1
  local others, rest = holders(h, token)
  -- One hold of a process serves all who hold the session there: most of them find it taken.
  if rest < lease / 2 then
    written = true
    others[#others + 1] = token .. '=' .. int(now + lease)
    h = table.concat(others, ' ')
    redis.call('HSET', KEYS[1], 'h', h)
  end
end
local held = heldUntil(lu, h)
if written or (is('t') and now - a >= lag(i)) then
  a = now
  schedule(g, a, deadline(a, i, m, held))
end
local sent, value = 0, ''
if is('d') and (taken == 1 or not is('l')) and ARGV[3] ~= g .. ':' .. f[2] then
  sent, value = 1, redis.call('HGET', KEYS[1], 'd')
end
local isHeld = 0
if held > now then
  isHeld = 1
end
return { 1, now, g, f[2], f[3], int(a), f[6], f[7], isHeld, taken, sent, value }
`,
)
