import { ADMIT } from "./admit.ts";
import { SHARED } from "./shared.ts";

/**
 * An operator gives more to a day's budget. ARGV 3 name · 4 Redis ms when the day ends · 5 tokens · 6 nano · 7 nonce · 8… a count and how many more → { }
 * Runs that wait for it are looked at soon, one after the other.
 */
export const RAISE: string = `${SHARED}${ADMIT}
local key = p .. 'spend:' .. ARGV[3]
if redis.call('HGET', key, 'raised-by') == ARGV[7] then return {} end
redis.call('HINCRBY', key, 'extra-tokens', ARGV[5])
redis.call('HINCRBY', key, 'extra-nano', ARGV[6])
for i = 8, #ARGV, 2 do redis.call('HINCRBY', key, 'extra-' .. ARGV[i], ARGV[i + 1]) end
redis.call('HSET', key, 'raised-by', ARGV[7])
redis.call('PEXPIREAT', key, int(tonumber(ARGV[4]) + 3 * 86400000))
wakeAll('spend:' .. ARGV[3])
return {}
`;
