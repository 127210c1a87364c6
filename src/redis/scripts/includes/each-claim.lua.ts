/**
 * The claims of one shard that a call concerns. Needs `session` and `backlog`.
 *
 * KEYS begins with session and backlog of the first claim, then come the keys of the shard, then session and
 * backlog of each other claim. The functions of the other includes work on KEYS[1], KEYS[2] and `id`, so
 * these are those of one claim after the other.
 *
 * - `ALONE`: the state of a claim whose keys caused an error: the call is to be made for it alone, so that
 *   the error is its own.
 * - `AGAIN`: the state of a claim that the call did not come to.
 * - `eachClaim`: calls `handle(reply, first, member)` for each claim, where ARGV[first] is its id and the
 *   next its incarnation. Their leases have been read then. `shardKeys` and `shared` are the numbers of keys
 *   of the shard, and of arguments before the first claim; `width` is that of the arguments of each. `handle`
 *   appends to the reply, and returns whether the others are left for another call.
 */
export const eachClaim = `
local ALONE, AGAIN = 8, 9
local function eachClaim(shardKeys, shared, width, handle)
  local count, reply, isOver = (#ARGV - shared) / width, {}, false
  local members = {}
  for first = shared + 1, #ARGV, width do
    members[#members + 1] = ARGV[first + 1] .. ':' .. ARGV[first]
  end
  local found = redis.call('HMGET', KEYS[5], unpack(members))
  for index, member in ipairs(members) do
    leases[member] = found[index]
  end
  for index = 0, count - 1 do
    local first, length = shared + index * width + 1, #reply
    if index > 0 then
      KEYS[1], KEYS[2] = KEYS[shardKeys + 2 * index + 1], KEYS[shardKeys + 2 * index + 2]
    end
    id = ARGV[first]
    if isOver then
      reply[#reply + 1] = AGAIN
    elseif count == 1 then
      handle(reply, first, members[1])
    else
      -- Another program may have put a key of another type here.
      local isDone, result = pcall(handle, reply, first, members[index + 1])
      isOver = isDone and result
      if not isDone then
        for part = #reply, length + 1, -1 do
          reply[part] = nil
        end
        reply[#reply + 1] = ALONE
      end
    end
  end
  return reply
end
`
