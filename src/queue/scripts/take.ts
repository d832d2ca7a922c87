import { SHARED } from "./shared.ts";

/**
 * One request out of a limit that all workers share. ARGV 3 the limit's name · 4 nonce · 5 how many · 6 in how many ms
 * → ms to wait, 0: taken. Exact over a sliding window: never more than so many in any window of that length.
 */
export const TAKE: string = `${SHARED}
local key, nonce, most, window = p .. 'rate:' .. ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
if redis.call('ZSCORE', key, nonce) then return { 0 } end
if redis.call('ZCARD', key) >= most then
  local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return { math.max(1, oldest[2] + window - now) }
end
redis.call('ZADD', key, now, nonce)
redis.call('PEXPIRE', key, window)
return { 0 }
`;
