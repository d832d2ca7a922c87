import { BASE } from "./shared.ts";

/**
 * A piece of a large result. ARGV 3 run id · 4 field · 5 bytes → { 'ok' } · { 'gone' }
 * Accepted from any epoch; refused when Redis is out of memory. Written after the end, it has what is left of the run's time.
 */
export const KEEP: string = `${BASE}
local run = p .. 'run:' .. ARGV[3]
local status = redis.call('HGET', run, 'status')
if not status then return { 'gone' } end
redis.call('HSET', run .. ':b', ARGV[4], ARGV[5])
local left = final(status) and redis.call('PTTL', run) or 0
if left > 0 then redis.call('PEXPIRE', run .. ':b', left) end
return { 'ok' }
`;
