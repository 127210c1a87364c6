/**
 * The recent saves of a session: their names in `w`, and the time of the last one in `ws`.
 *
 * There are as many as may still be repeated, since another save may come before the repeat of a call.
 *
 * - `recentSaves`: the names that are recent enough to matter.
 * - `wasSaved`: whether the save of this name was carried out.
 * - `recordSave`: records the name of a save.
 */
export const saves = `
local function recentSaves(names, savedAt)
  if now - tonumber(savedAt or 0) < operationTtlMs then
    return names or ''
  end
  return ''
end
local function wasSaved(recent, operation)
  return string.find(' ' .. recent .. ' ', ' ' .. operation .. ' ', 1, true) ~= nil
end
local function recordSave(recent, operation)
  local names = {}
  for name in string.gmatch(recent, '%S+') do
    names[#names + 1] = name
  end
  names[#names + 1] = operation
  redis.call('HSET', KEYS[1], 'w', table.concat(names, ' ', math.max(1, #names - 63)), 'ws', toInteger(now))
end
`
