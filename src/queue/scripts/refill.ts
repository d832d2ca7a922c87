import { SHARED } from "./shared.ts";

/**
 * The caps of the worker that was started last hold for all. ARGV 3… pairs of a cap's name and its number; 0: none
 * → { '1' if lines are to be gone through (REFILL), because a cap has changed, or nobody has done so since an older Errand, or '' }
 */
export const CAPS: string = `${SHARED}
local key = p .. 'caps'
for i = 3, #ARGV, 2 do
  local was = redis.call('HGET', key, ARGV[i])
  local is = (ARGV[i + 1] ~= '0' or string.sub(ARGV[i], 1, 6) ~= 'agent:') and ARGV[i + 1]
  if is and was ~= is then
    redis.call('HSET', key, ARGV[i], is)
    redis.call('HDEL', key, 'filled')
  elseif was and not is then
    redis.call('HDEL', key, ARGV[i], 'filled')
  end
end
return { redis.call('HGET', key, 'filled') and '' or '1' }
`;

/** All lines have been gone through. */
export const FILLED: string = `${SHARED}
redis.call('HSET', p .. 'caps', 'filled', '1')
return {}
`;

/**
 * Goes through runs by status: each is put into the line and the slot that it has by the caps and names of today. Changes nothing that
 * is right. ARGV 3 status · 4 after which sequence number · 5 how many at most → { the last one's number, or '' at the end, tickets… }
 */
export const REFILL: string = `${SHARED}
local found = redis.call('ZRANGE', p .. 'runs:status:' .. ARGV[3], '(' .. ARGV[4], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[5], 'WITHSCORES')
local function refill(id)
  local run = p .. 'run:' .. id
  local h = redis.call('HMGET', run, 'place', 'line', 'queue', 'identifier', 'agent', 'rank', 'node')
  local place, was = h[1], h[2]
  if place ~= 'line' and place ~= 'live' then return end
  local line = lineOf(h[3], h[4], h[5], string.sub(was, -2) == ' !')
  local node = nodeOf(line)
  if line ~= was then redis.call('HSET', run, 'line', line) end
  if place == 'line' then
    if line ~= was then redis.call('ZREM', p .. 'line:' .. was, id) end
    redis.call('ZADD', p .. 'line:' .. line, h[6], id)
  else
    if line ~= was then redis.call('ZREM', p .. 'live:' .. was, id) end
    if h[7] and h[7] ~= node then redis.call('ZREM', p .. 'busy:' .. h[7], id) end
    redis.call('HSET', run, 'node', node)
    seat(id, line, node)
  end
  standAll(line, node)
end
for i = 1, #found, 2 do refill(found[i]) end
fill()
return { #found == 2 * tonumber(ARGV[5]) and found[#found] or '', unpack(made) }
`;
