/**
 * The last saves of a session, as many as may still be repeated: their names in `w`, and in `ws` when the
 * last one was. Another save may come before the repeat of a call.
 *
 * - `recentSaves`: the names, as far as they are still of use.
 * - `wasSaved`: whether a save of this name was carried out.
 * - `recordSave`: writes a name down.
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
