import { SHARED } from "./shared.ts";

/**
 * ARGV 3 gate · 4 version to open to, or '' for a new one · 5 how many waiters at most · 6 when the account last changed, or ''
 *      if the user has just connected it. A waiter that was refused after that stays, and has seen this opening.
 * → { version, waiters left, tickets… }. Moves only waiters that saw a lower version; resumable at any point.
 */
export const OPEN: string = `${SHARED}
local name, most = ARGV[3], tonumber(ARGV[5])
local gate = p .. 'gate:' .. name
local current = redis.call('HGET', gate, 'version')
local version = tonumber(ARGV[4]) or raise(current)
local changed = tonumber(ARGV[6])
if version > (tonumber(current) or 0) then redis.call('HSET', gate, 'version', int(version)) end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', gate .. ':w', '-inf', '(' .. int(version), 'LIMIT', 0, most)) do
  local run = p .. 'run:' .. id
  local h = redis.call('HMGET', run, 'place', 'gate', 'after')
  if changed and (tonumber(h[3]) or 0) > 0 and changed <= tonumber(h[3]) then
    redis.call('ZADD', gate .. ':w', version, id)
  else
    redis.call('ZREM', gate .. ':w', id)
    if h[1] == 'gate' and h[2] == name then
      toLine(id, run)
      announce(id)
    end
  end
end
return { int(version), redis.call('ZCOUNT', gate .. ':w', '-inf', '(' .. int(version)), unpack(made) }
`;
