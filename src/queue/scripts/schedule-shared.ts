/**
 * Lua of the scripts of schedules; stands behind SHARED.
 *
 *   schedule:<id>     hash   rev (of the last change, a nonce), agent, identifier, def (JSON), cursor, since, paused, past, buffer,
 *                            runs ("<run>:<since> …", not ended when last looked at), error, fails, created, updated
 *   schedule:<id>:h   list   what became of its last times, as JSON
 *   schedules         zset   ids, by name; schedules:agent:<name> and schedules:identifier:<id> likewise
 *   schedules:due     zset   ids, by when their next tick is due in Redis ms; none that is paused or over
 *   schedules:beat    string Redis ms of the last pass over what is due
 *
 * A run that a schedule made names it in its header: `schedule`.
 */
export const SCHEDULE = `
local due = p .. 'schedules:due'

-- How its runs stand, a letter each: "-" ended, "w" waits for an account and has no turn, "b" any other.
local function standing(runs)
  local letters = {}
  for run in string.gmatch(runs or '', '([^%s:]+):%d+') do
    local h = redis.call('HMGET', p .. 'run:' .. run, 'status', 'reason', 'turned', 'cancel')
    local letter = 'b'
    if not h[1] or final(h[1]) then
      letter = '-'
    elseif h[1] == 'parked' and h[2] == 'account' and not h[3] and not h[4] then
      letter = 'w'
    end
    letters[#letters + 1] = letter
  end
  return table.concat(letters)
end

local function show(id)
  local key = p .. 'schedule:' .. id
  return { id, standing(redis.call('HGET', key, 'runs')), unpack(redis.call('HGETALL', key)) }
end
`;
