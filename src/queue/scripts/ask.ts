import { SHARED } from "./shared.ts";

/**
 * ARGV 3 gate · 4 message · 5 ms that it is remembered · 6 ms within which wishes become one → { 'asked' } · { 'heard' }
 * The gate's look is now; where one was asked for just before, it is a moment after that. What becomes of it: due.ts.
 */
export const ASK: string = `${SHARED}
local asked, spread = p .. 'asked:' .. ARGV[3], tonumber(ARGV[6])
if not redis.call('SET', p .. 'heard:' .. ARGV[4], '', 'NX', 'PX', ARGV[5]) then return { 'heard' } end
local last = tonumber(redis.call('GET', asked))
-- One that is still to come tells of this message, too.
if last and last > now then return { 'asked' } end
local at = math.max(now, (last or 0) + spread)
redis.call('SET', asked, int(at), 'PX', 2 * spread)
redis.call('ZADD', p .. 'looks', at, 'gate:' .. ARGV[3])
-- For workers that sleep until their next pass: a hint, which may be lost (looks.ts).
redis.call('PUBLISH', p .. 'looks', int(at))
return { 'asked' }
`;
