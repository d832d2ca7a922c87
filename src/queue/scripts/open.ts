import { NEEDS } from "./needs.ts";
import { SHARED } from "./shared.ts";

/**
 * ARGV 3 gate · 4 version to open to, or '' for a new one · 5 how many waiters at most · 6 when the account last changed, or ''
 *      if the user has just connected it. A waiter that was refused after that stays, and has seen this opening.
 * → { version, waiters left, tickets… }. Moves only waiters that saw a lower version; resumable at any point. A waiter that stands at
 * other gates as well needs this one no more, and goes on when the last of them has opened.
 */
export const OPEN: string = `${SHARED}${NEEDS}
local name, most = ARGV[3], tonumber(ARGV[5])
local gate, record = p .. 'gate:' .. name, p .. 'auth:' .. name
local current = redis.call('HGET', gate, 'version')
local version = tonumber(ARGV[4]) or raise(current)
local changed = tonumber(ARGV[6])
if version > (tonumber(current) or 0) then redis.call('HSET', gate, 'version', int(version)) end
if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, 'looked', int(now)) end

local function goOn(id, run, gates, needs)
  local gatesLeft, needsLeft, need = {}, {}, nil
  for at in string.gmatch(gates or '', '%S+') do
    if at ~= name then gatesLeft[#gatesLeft + 1] = at end
  end
  for _, one in ipairs(needsOf(needs)) do
    if one.gate == name then need = one else needsLeft[#needsLeft + 1] = one end
  end
  redis.call('HSET', run, 'gate', table.concat(gatesLeft, ' '))
  if need then
    writeNeeds(run, needsLeft)
    dropNeed(id, need, 'granted')
  end
  if #gatesLeft == 0 then toLine(id, run) end
  announce(id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', gate .. ':w', '-inf', '(' .. int(version), 'LIMIT', 0, most)) do
  local run = p .. 'run:' .. id
  local h = redis.call('HMGET', run, 'place', 'gate', 'after', 'needs')
  if changed and (tonumber(h[3]) or 0) > 0 and changed <= tonumber(h[3]) then
    redis.call('ZADD', gate .. ':w', version, id)
    for _, need in ipairs(needsOf(h[4])) do
      if need.gate == name then redis.call('HSET', record, 'reason', need.reason) end
    end
  else
    redis.call('ZREM', gate .. ':w', id)
    if h[1] == 'gate' then goOn(id, run, h[2], h[4]) end
  end
end
return { int(version), redis.call('ZCOUNT', gate .. ':w', '-inf', '(' .. int(version)), unpack(made) }
`;
