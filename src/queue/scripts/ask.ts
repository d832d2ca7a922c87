import { SHARED } from "./shared.ts";

/**
 * ARGV 3 gate · 4 message · 5 ms that it is remembered · 6 ms within which wishes become one → { 'asked' } · { 'heard' }
 *
 * Waiters: the gate's next look is now. Nobody waits: a run may be about to park that has looked before what this message tells of.
 * A new version makes it look again; in a flood, the gate is looked at a moment later instead, if anybody waits by then.
 */
export const ASK: string = `${SHARED}
local name, spread = 'gate:' .. ARGV[3], tonumber(ARGV[6])
local gate, looks = p .. name, p .. 'looks'
if not redis.call('SET', p .. 'heard:' .. ARGV[4], '', 'NX', 'PX', ARGV[5]) then return { 'heard' } end
if redis.call('ZCARD', gate .. ':w') > 0 then
  redis.call('ZADD', looks, 'LT', now, name)
  return { 'asked' }
end
local last = redis.call('HGET', gate, 'version')
if last and now - tonumber(last) < spread then
  redis.call('ZADD', looks, 'LT', now + spread, name)
else
  redis.call('HSET', gate, 'version', int(raise(last)))
  -- Most accounts that are told of have no runs: their gates do not stay.
  if not last then redis.call('PEXPIRE', gate, ARGV[5]) end
end
return { 'asked' }
`;
