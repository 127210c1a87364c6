/**
 * The recent saves of a session: their names in `w`, and the time of the last one in `ws`.
 *
 * There are as many as may still be repeated, since another save may come before the repeat of a call.
 *
 * - `recentSaves`: the names that are recent enough to matter.
 * - `wasSaved`: whether the save of this name was carried out.
 * - `withSave`: the names with that of a save, at most 64 of 22 characters and a space.
 */
export const saves = `
local function recentSaves(names, savedAt)
  if now - tonumber(savedAt or 0) < operationTtlMs then
    return names or ''
  end
  return ''
end
local function wasSaved(recent, operation)
  return recent ~= '' and string.find(recent, operation, 1, true) ~= nil
end
local function withSave(recent, operation)
  return string.sub(recent .. ' ' .. operation, -1472)
end
`
