import { BASE } from "./shared.ts";

/**
 * ARGV 3 run id · 4 the intent's nonce · 5 evidence as JSON · 6 '1' if it tells whether the attempt was executed
 * → { 'ok', at } · { 'was', the winner as it stands } · { 'gone' }
 * Accepted from any epoch and when Redis is out of memory: what happened must be written down. First write wins.
 */
export const EVIDENCE: string = `#!lua flags=allow-oom
${BASE}
local id = ARGV[3]
local run = p .. 'run:' .. id
local status = redis.call('HGET', run, 'status')
if not status then return { 'gone' } end
if redis.call('HSETNX', run .. ':e', ARGV[4], int(now) .. '\\n' .. ARGV[5]) == 0 then
  return { 'was', redis.call('HGET', run .. ':e', ARGV[4]) }
end
if ARGV[6] == '1' then redis.call('ZREM', p .. 'unknowns', id .. ' ' .. ARGV[4]) end
local asked = string.match(ARGV[4], '^approval:(.*)$')
if asked then redis.call('ZREM', p .. 'approvals', id .. ' ' .. asked) end
local left = final(status) and redis.call('PTTL', run) or 0
if left > 0 then redis.call('PEXPIRE', run .. ':e', left) end
announce(id)
return { 'ok', int(now) }
`;
