import { BASE } from "./shared.ts";

/** ARGV 3 run id · 4 epoch → { 'ok', cancelled } · { 'fenced' }. Leases are extended even when Redis is out of memory. */
export const RENEW: string = `#!lua flags=allow-oom
${BASE}
local id = ARGV[3]
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'epoch', 'status', 'cancel')
if h[1] ~= ARGV[4] or h[2] ~= 'running' then return { 'fenced' } end
redis.call('HSET', run, 'lease', int(now + o.lease))
redis.call('ZADD', p .. 'looks', now + o.lease, 'run:' .. id)
return { 'ok', h[3] or '' }
`;
