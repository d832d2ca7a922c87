import { SHARED } from "./shared.ts";

/**
 * ARGV 3 run id → { 'held' } a worker has it and will see the flag · { 'free' } nobody has it: claim and end it ·
 * { 'final' } · { 'gone' }
 * A parked run goes to its line, so that a worker ends it if the caller dies before it could.
 */
export const CANCEL: string = `${SHARED}
local id = ARGV[3]
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'status', 'lease', 'place', 'gate')
if not h[1] then return { 'gone' } end
if final(h[1]) then return { 'final' } end
redis.call('HSET', run, 'cancel', '1')
if h[3] == 'gate' then leaveGates(id, run, h[4]) end
if h[3] == 'gate' or h[3] == 'moment' then toLine(id, run) end
announce(id)
return { (tonumber(h[2]) or 0) > now and 'held' or 'free' }
`;
