/**
 * Lua for `create`: what becomes of runs that a new one makes superfluous. Needs SHARED and NEEDS.
 *
 * Only while a run of this agent and identifier waits for an account: `skip` gives that run instead of a new one. `latest` gives way to
 * the new one what has no committed turn and is not being worked: those runs are cancelled, and the new one covers what they covered.
 */
export const COALESCE = `
-- → the run that waits, the runs to give way, from when they cover
local function superfluous(agent, identifier)
  local key = p .. 'unfinished:' .. agent .. ':' .. identifier
  local waits, idle, from
  for _, id in ipairs(redis.call('ZREVRANGE', key, 0, 999)) do
    local h = redis.call('HMGET', p .. 'run:' .. id, 'status', 'reason', 'turned', 'lease', 'cancel', 'from')
    if not h[1] or final(h[1]) then
      redis.call('ZREM', key, id)
    elseif not h[5] then
      local waiting = h[1] == 'parked' and h[2] == 'account'
      if waiting then waits = waits or id end
      if not h[3] and (waiting or (h[1] == 'queued' and (tonumber(h[4]) or 0) <= now)) then
        idle = idle or {}
        idle[#idle + 1] = id
        if h[6] then from = math.min(from or tonumber(h[6]), tonumber(h[6])) end
      end
    end
  end
  return waits, idle or {}, from
end

local function giveWay(id, new)
  local run = p .. 'run:' .. id
  local h = redis.call('HMGET', run, 'place', 'gate')
  redis.call('HSET', run, 'cancel', '1', 'superseded-by', new)
  if h[1] == 'gate' then leaveGates(id, run, h[2]) end
  handOver(id, run, new)
  if h[1] == 'gate' or h[1] == 'moment' then toLine(id, run) end
  announce(id)
end
`;
