import { SHARED } from "./shared.ts";

/**
 * ARGV 3 run id → { 'held' } a worker has it and will see the flag · { 'free' } nobody has it: claim and end it ·
 * { 'final' } · { 'gone' }
 */
export const CANCEL: string = `${SHARED}
local run = p .. 'run:' .. ARGV[3]
local h = redis.call('HMGET', run, 'status', 'lease')
if not h[1] then return { 'gone' } end
if final(h[1]) then return { 'final' } end
redis.call('HSET', run, 'cancel', '1')
announce(ARGV[3])
return { (tonumber(h[2]) or 0) > now and 'held' or 'free' }
`;
