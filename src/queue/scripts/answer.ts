import { SHARED } from "./shared.ts";

/**
 * A person's word on an attempt whose outcome nobody knows. ARGV 3 run id · 4 the intent · 5 the answer as evidence, JSON · 6 the
 * gate where the run may wait for it → { 'ok', at, tickets… } · { 'was', the answer as it stands } · { 'gone' }
 * First write wins. The run goes on if it waits for this; an ended one only leaves the list.
 */
export const ANSWER: string = `${SHARED}
local id, intent, gate = ARGV[3], ARGV[4], ARGV[6]
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'status', 'place', 'gate')
if not h[1] then
  redis.call('ZREM', p .. 'unknowns', id .. ' ' .. intent)
  return { 'gone' }
end
local field = 'answer:' .. intent
if redis.call('HSETNX', run .. ':e', field, int(now) .. '\\n' .. ARGV[5]) == 0 then
  return { 'was', redis.call('HGET', run .. ':e', field) }
end
redis.call('ZREM', p .. 'unknowns', id .. ' ' .. intent)
local left = final(h[1]) and redis.call('PTTL', run) or 0
if left > 0 then redis.call('PEXPIRE', run .. ':e', left) end
if h[2] == 'gate' and h[3] == gate then goOn(id, run, gate) end
announce(id)
return { 'ok', int(now), unpack(made) }
`;
