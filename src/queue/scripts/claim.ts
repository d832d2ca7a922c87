import { SHARED } from "./shared.ts";

/**
 * ARGV 3 run id · 4 ticket number, or '' to claim from line, gate or moment · 5 nonce · 6 the leased decision as JSON
 * → { 'claimed', epoch, now, cancelled, decisions, evidence } · { 'busy', until } · { 'stale' } · { 'gone' }
 *   · { 'newer', tickets… }: parked for a minute, in the hope of a worker that knows this version of the journal
 */
export const CLAIM: string = `${SHARED}
local id, asked, nonce = ARGV[3], ARGV[4], ARGV[5]
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'status', 'place', 'ticket', 'epoch', 'lease', 'claim', 'cancel', 'line', 'gate', 'version', 'sequence', 'node')
local status, place, lease = h[1], h[2], tonumber(h[5]) or 0
if not status then return { 'gone' } end
local function claimed(epoch)
  return { 'claimed', epoch, int(now), h[7] or '', redis.call('LRANGE', run .. ':j', 0, -1), redis.call('HGETALL', run .. ':e') }
end
if h[6] == nonce then return claimed(h[4]) end
if final(status) then return { 'stale' } end
if lease > now then return { 'busy', int(lease) } end
if (tonumber(h[10]) or 0) > o.version then
  if asked ~= '' and place == 'live' then
    unseat(id, h[8], h[12] or nodeOf(h[8]))
    setStatus(id, run, status, h[11], 'parked', 'place', 'moment', 'reason', 'newer-version', 'lease', '0')
    redis.call('ZADD', p .. 'looks', now + 60000, 'run:' .. id)
    fill()
    announce(id)
  end
  return { 'newer', unpack(made) }
end
if asked ~= '' then
  if place ~= 'live' or asked ~= h[3] then return { 'stale' } end
else
  local node = place == 'live' and h[12] or nodeOf(h[8])
  if place == 'line' then redis.call('ZREM', p .. 'line:' .. h[8], id) end
  if place == 'gate' then leaveGates(id, run, h[9]) end
  if place ~= 'live' then
    seat(id, h[8], node)
    standAll(h[8], node)
  end
  redis.call('HSET', run, 'place', 'live', 'node', node, 'ticket', int(raise(h[3])))
  redis.call('HDEL', run, 'reason', 'gate', 'after', 'refused')
end
local epoch = int(raise(h[4]))
setStatus(id, run, status, h[11], 'running', 'epoch', epoch, 'lease', int(now + o.lease), 'claim', nonce, 'updated', int(now))
redis.call('ZADD', p .. 'looks', now + o.lease, 'run:' .. id)
redis.call('RPUSH', run .. ':j', int(now) .. ' ' .. epoch .. ' ' .. nonce .. '\\n' .. ARGV[6])
announce(id)
return claimed(epoch)
`;
