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

local function without(gates)
  local left = {}
  for _, one in ipairs(gates) do
    if one ~= name then left[#left + 1] = one end
  end
  return left
end

local function goOn(id, run, gates, needs)
  local left = without(gatesOf(run, gates))
  if #left > 0 then redis.call('HSET', run, 'gate', gatesText(run, left)) end
  if needs then
    writeNeeds(run, without(gatesOf(run, needs)))
    dropNeed(id, name, 'granted')
  end
  if #left == 0 then toLine(id, run) end
  announce(id)
end

many = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', gate .. ':w', '-inf', '(' .. int(version), 'LIMIT', 0, most)) do
  local run = p .. 'run:' .. id
  local h = redis.call('HMGET', run, 'place', 'gate', 'after', 'needs', 'refused')
  if changed and (tonumber(h[3]) or 0) > 0 and changed <= tonumber(h[3]) then
    redis.call('ZADD', gate .. ':w', version, id)
    if h[5] and redis.call('EXISTS', record) == 1 then redis.call('HSET', record, 'reason', h[5]) end
  else
    put('ZREM', gate .. ':w', id)
    if h[1] == 'gate' then goOn(id, run, h[2], h[4]) end
  end
end
standEntered()
return { int(version), redis.call('ZCOUNT', gate .. ':w', '-inf', '(' .. int(version)), unpack(made) }
`;
