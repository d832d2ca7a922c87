import { SHARED } from "./shared.ts";

/** Waiters of one account that look again: a user has few runs at once, and a script must not take long. */
const MOST_AGAIN = 100;

/**
 * ARGV 3 connection · 4 gate of the account that was lost, or '' to read only · 5 ms of the window · 6 how many accounts are too many
 *      7 ms of a hold
 * → { since when the connection is held as an outage, or '' · '1' if this one was too many }
 *
 * Nothing is noted during a hold, so that the losses of an outage do not begin the next one; the window never holds more than it takes.
 * Those that were counted were asked to connect before it was known: their runs look again, those about to park as well.
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

redis.call('SET', held, int(now), 'PX', ARGV[7])
for _, name in ipairs(redis.call('ZRANGE', lost, 0, -1)) do
  local gate = p .. 'gate:' .. name
  redis.call('HSET', gate, 'version', int(raise(redis.call('HGET', gate, 'version'))))
  for _, id in ipairs(redis.call('ZRANGE', gate .. ':w', 0, ${MOST_AGAIN - 1})) do
    -- Who was refused by an ACTIVE account has nothing to look at before it changes.
    if redis.call('HEXISTS', p .. 'run:' .. id, 'after') == 0 then
      redis.call('ZADD', p .. 'looks', 'XX', now, 'run:' .. id)
    end
  end
end
redis.call('DEL', lost)
return { int(now), '1' }
`;
