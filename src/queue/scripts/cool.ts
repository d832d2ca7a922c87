import { ADMIT } from "./admit.ts";
import { BASE, SHARED } from "./shared.ts";

/** So many narrower keys that cool within a minute are no accident of theirs. */
const WIDER = 3;
/** ms that strikes are remembered after a cool-down. */
const REMEMBER_MS = 3_600_000;

/**
 * Closes a cool-down. ARGV 3 key · 4 nonce · 5 why · 6 ms that the other side asked for, or '' · 7 base and 8 cap of the backoff, ms
 *   9 random · 10 the wider key, or '' → { until, '1' if nobody has closed it for this reason before }
 * While it is closed, what was under way comes back with the same answer: that is one strike, and the longest wish counts.
 */
export const COOL: string = `${BASE}
local function close(key, till, strikes, first)
  local cool = p .. 'cool:' .. key
  redis.call('HSET', cool, 'until', int(till), 'why', ARGV[5], 'strikes', strikes, 'by', ARGV[4], 'first', first)
  redis.call('PEXPIREAT', cool, int(till + ${REMEMBER_MS}))
end
local h = redis.call('HMGET', p .. 'cool:' .. ARGV[3], 'until', 'why', 'strikes', 'by', 'first')
if h[4] == ARGV[4] then return { h[1], h[5] } end
local last = tonumber(h[1]) or 0
local strikes = (tonumber(h[3]) or 0) + (last > now and h[2] == ARGV[5] and 0 or 1)
local ceiling = math.min(tonumber(ARGV[8]), tonumber(ARGV[7]) * 2 ^ (math.max(1, math.min(strikes, 30)) - 1))
local wish = tonumber(ARGV[6]) or math.floor(ceiling * (0.1 + 0.9 * tonumber(ARGV[9])) + 0.5)
-- The operator's matter is not forgotten over a limit that a call under way has met.
if last > now and h[2] ~= 'rate-limit' and ARGV[5] == 'rate-limit' then return { h[1], '' } end
local till = math.max(last > now and h[2] == ARGV[5] and ARGV[5] == 'rate-limit' and last or 0, now + wish)
local first = h[2] == ARGV[5] and '' or '1'
close(ARGV[3], till, strikes, first)
if ARGV[10] ~= '' then
  local cooled = p .. 'cooled:' .. ARGV[10]
  redis.call('ZADD', cooled, now, ARGV[3])
  redis.call('ZREMRANGEBYSCORE', cooled, '-inf', now - 60000)
  redis.call('PEXPIRE', cooled, 60000)
  local wider = tonumber(redis.call('HGET', p .. 'cool:' .. ARGV[10], 'until')) or 0
  if redis.call('ZCARD', cooled) >= ${WIDER} then close(ARGV[10], math.max(wider, till), 1, '') end
end
return { int(till), first }
`;

/** Whichever of them is closed longest. ARGV 3… keys → { until, why } · { } */
export const CLOSED: string = `${BASE}
local till, why = now, nil
for i = 3, #ARGV do
  local h = redis.call('HMGET', p .. 'cool:' .. ARGV[i], 'until', 'why')
  if (tonumber(h[1]) or 0) > till then till, why = tonumber(h[1]), h[2] end
end
return why and { int(till), why } or {}
`;

/** An operator says that it is over. ARGV 3 key → { '1' if it was closed } */
export const REOPEN: string = `${SHARED}${ADMIT}
local was = redis.call('EXISTS', p .. 'cool:' .. ARGV[3])
reopen(ARGV[3])
return { was }
`;
