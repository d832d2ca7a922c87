import { SHARED } from "./shared.ts";

/**
 * ARGV 3 connection · 4 identifier who lost it, or '' to read only · 5 ms of the window · 6 how many users are too many · 7 ms of a hold
 * → { since when the connection is held as an outage, or '' · who were counted, if this one was too many }
 * Nothing is noted during a hold, so that the losses of an outage do not begin the next one; the window never holds more than it takes.
 */
export const LOSSES: string = `${SHARED}
local lost, held = p .. 'losses:' .. ARGV[3], p .. 'held:' .. ARGV[3]
local since = redis.call('GET', held)
if since then return { since } end
if ARGV[4] == '' then return { '' } end
redis.call('ZADD', lost, now, ARGV[4])
redis.call('ZREMRANGEBYSCORE', lost, '-inf', '(' .. int(now - tonumber(ARGV[5])))
redis.call('PEXPIRE', lost, ARGV[5])
if redis.call('ZCARD', lost) < tonumber(ARGV[6]) then return { '' } end
local counted = redis.call('ZRANGE', lost, 0, -1)
redis.call('SET', held, int(now), 'PX', ARGV[7])
redis.call('DEL', lost)
return { int(now), counted }
`;
