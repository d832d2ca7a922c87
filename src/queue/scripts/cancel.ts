import { SHARED } from "./shared.ts";

/**
 * ARGV 3 run id → { 'held' } a worker has it and will see the flag · { 'free' } nobody has it: claim and end it ·
 * { 'final' } · { 'gone' }
 * A parked run goes to its line, so that a worker ends it if the caller dies before it could.
 */
export const CANCEL: string = `${SHARED}
local id = ARGV[3]
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'status', 'lease', 'place', 'gate', 'line')
if not h[1] then return { 'gone' } end
if final(h[1]) then return { 'final' } end
redis.call('HSET', run, 'cancel', '1')
if h[3] == 'gate' then leaveGates(id, run, h[4]) end
local isKept = h[3] == 'line' and redis.call('EXISTS', p .. 'switches') == 1
if isKept then
  -- A switch that keeps its line does not keep it from ending.
  redis.call('ZREM', p .. 'line:' .. h[5], id)
  standAll(h[5], nodeOf(h[5]))
end
if h[3] == 'gate' or h[3] == 'moment' or isKept then toLine(id, run) end
announce(id)
return { (tonumber(h[2]) or 0) > now and 'held' or 'free' }
`;
