import { SHARED } from "./shared.ts";

/**
 * ARGV 3 run id · 4 epoch · 5 expected length · 6 nonce · 7 move as JSON · 8… decisions as JSON
 * → { 'ok', at, cancelled, tickets… } · { 'fenced' } · { 'conflict' } · { 'gate-moved' }
 * A sent-again commit finds its own nonce at the expected place, before anything else is compared.
 * A cancelled run waits for nothing: instead of a gate or a moment it goes to its line, and whoever takes it ends it.
 */
export const COMMIT: string = `${SHARED}
local id, epoch, length, nonce = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local move = cjson.decode(ARGV[7])
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'epoch', 'status', 'cancel', 'line', 'idem', 'agent', 'identifier', 'version',
  'sequence')
local have = redis.call('LLEN', run .. ':j')
if have > length then
  local at, _, by = string.match(redis.call('LINDEX', run .. ':j', length), '^(%d+) (%d+) (%S+)\\n')
  if by == nonce then return { 'ok', at, h[3] or '' } end
end
if h[1] ~= epoch or h[2] ~= 'running' then return { 'fenced' } end
if have ~= length then return { 'conflict' } end
local gate = move.gate and (p .. 'gate:' .. move.gate)
if gate and (tonumber(redis.call('HGET', gate, 'version')) or 0) ~= move.version then return { 'gate-moved' } end
if move.unless and redis.call('HEXISTS', run .. ':e', move.unless) == 1 then return { 'gate-moved' } end

local entries = {}
for i = 8, #ARGV do entries[i - 7] = int(now) .. ' ' .. epoch .. ' ' .. nonce .. '\\n' .. ARGV[i] end
if #entries > 0 then redis.call('RPUSH', run .. ':j', unpack(entries)) end
if move.turned then redis.call('HSET', run, 'turned', '1') end
for _, intent in ipairs(move.unknown or {}) do redis.call('ZADD', p .. 'unknowns', now, id .. ' ' .. intent) end
-- While it stays, its next look stays as well: it comes too early, finds a living lease and moves on.
redis.call('HSET', run, 'updated', int(now), 'version', math.max(o.version, tonumber(h[8]) or 0),
  'lease', move.to == 'stay' and int(now + o.lease) or '0')
announce(id)
if move.to == 'stay' then return { 'ok', int(now), h[3] or '' } end

redis.call('ZREM', p .. 'live:' .. h[4], id)
if move.to == 'line' or (h[3] and move.to ~= 'end') then
  toLine(id, run)
elseif move.to == 'moment' then
  setStatus(id, run, h[2], h[9], 'parked', 'place', 'moment', 'reason', move.reason)
  redis.call('ZADD', p .. 'looks', move['until'], 'run:' .. id)
elseif move.to == 'gate' then
  setStatus(id, run, h[2], h[9], 'parked', 'place', 'gate', 'reason', move.reason, 'gate', move.gate)
  redis.call('ZADD', gate .. ':w', move.version, id)
  if move.after then redis.call('HSET', run, 'after', int(move.after)) end
  if not move.unless then
    -- In the next round of its connection, however long it has waited: somebody new waits.
    local connection = string.match(move.gate, '[^/]*$')
    redis.call('HSET', gate, 'parked', int(now))
    redis.call('ZADD', p .. 'sweep:' .. connection, now, move.gate)
    redis.call('ZADD', p .. 'looks', 'NX', now + o.sweep, 'sweep:' .. connection)
  end
  redis.call('ZADD', p .. 'looks', move['until'], 'run:' .. id)
else
  setStatus(id, run, h[2], h[9], move.status, 'place', 'none')
  redis.call('ZADD', p .. 'runs:ended', now + o.keep, id .. ' ' .. move.status .. ' ' .. h[6] .. ' ' .. h[7])
  redis.call('ZREM', p .. 'looks', 'run:' .. id)
  redis.call('ZREM', p .. 'unfinished:' .. h[6] .. ':' .. h[7], id)
  for _, key in ipairs({ run, run .. ':j', run .. ':e', run .. ':b', h[5] }) do
    if key ~= '' then redis.call('PEXPIRE', key, o.keep) end
  end
end
fill(h[4])
return { 'ok', int(now), h[3] or '', unpack(made) }
`;
