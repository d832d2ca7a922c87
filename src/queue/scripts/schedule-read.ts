import { SCHEDULE } from "./schedule-shared.ts";
import { SHARED } from "./shared.ts";

/** ARGV 3… ids → { Redis ms, for each { id, how its runs stand, fields and values by turns… } }; without fields when it is not there */
export const SCHEDULE_READ: string = `${SHARED}${SCHEDULE}
local shown = { int(now) }
for i = 3, #ARGV do shown[i - 1] = show(ARGV[i]) end
return shown
`;

/**
 * What is due. ARGV 3 how many at most · 4 ms for which nobody else is given them → as SCHEDULE_READ.
 * Whoever takes them and dies leaves them to the next taker: nothing of a tick is written before all of it is (schedule-write.ts).
 */
export const SCHEDULE_TAKE: string = `${SHARED}${SCHEDULE}
local shown = { int(now) }
redis.call('SET', p .. 'schedules:beat', int(now))
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, tonumber(ARGV[3]))) do
  if redis.call('EXISTS', p .. 'schedule:' .. id) == 1 then
    redis.call('ZADD', due, now + tonumber(ARGV[4]), id)
    shown[#shown + 1] = show(id)
  else
    redis.call('ZREM', due, id)
  end
end
return shown
`;

/** → { Redis ms, how many schedules will tick, ms since the last pass or '', ms until the next one is due or '' } */
export const SCHEDULE_BEAT: string = `${SHARED}${SCHEDULE}
local beat = redis.call('GET', p .. 'schedules:beat')
local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
return { int(now), redis.call('ZCARD', due), beat and int(now - tonumber(beat)) or '', first[2] and int(tonumber(first[2]) - now) or '' }
`;
