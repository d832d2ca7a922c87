import { ADMIT } from "./admit.ts";
import { NEEDS } from "./needs.ts";
import { SHARED } from "./shared.ts";

/**
 * ARGV 3 run id · 4 epoch · 5 expected length · 6 nonce · 7 move as JSON: { to, gates?, needs?, kept?, after?, … }
 *      8… decisions as JSON
 * → { 'ok', at, cancelled, tickets… } · { 'fenced' } · { 'conflict' } · { 'gate-moved' }
 *   · { 'stopped', the switch, its gate's version } · { 'lapsed', when its approval ended }: nothing was written
 *   · { 'parked', at, cancelled, the park as JSON, tickets… } · { 'short', budget, tokens or '', nano or '' }
 *   · { 'closed', key, until }: see \`Ask\`
 * A sent-again commit finds its own nonce at the expected place, before anything else is compared.
 * A cancelled run waits for nothing: instead of a gate or a moment it goes to its line, and whoever takes it ends it.
 */
export const COMMIT: string = `${SHARED}${NEEDS}${ADMIT}
local id, epoch, length, nonce = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local move = cjson.decode(ARGV[7])
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'epoch', 'status', 'cancel', 'line', 'idem', 'agent', 'identifier', 'version',
  'sequence', 'needs', 'node', 'kept', 'asks', 'schedule')
local have = redis.call('LLEN', run .. ':j')
if have > length then
  local at, _, by = string.match(redis.call('LINDEX', run .. ':j', length), '^(%d+) (%d+) (%S+)\\n')
  if by == nonce then
    local park = move.ask and redis.call('LINDEX', run .. ':j', length + #ARGV - 7 - move.ask.entries)
    park = park and string.match(park, '^%d+ %d+ ' .. string.gsub(nonce, '%p', '%%%0') .. '\\n({"kind":"parked".*)$')
    return park and { 'parked', at, h[3] or '', park } or { 'ok', at, h[3] or '' }
  end
end
if h[1] ~= epoch or h[2] ~= 'running' then return { 'fenced' } end
if have ~= length then return { 'conflict' } end
for _, at in ipairs(move.gates or {}) do
  if (tonumber(redis.call('HGET', p .. 'gate:' .. at.gate, 'version')) or 0) ~= at.version then return { 'gate-moved' } end
end
-- A call that was asked about is claimed only with its approval, for the arguments that were approved, and in time.
for _, claim in ipairs(move.claims or {}) do
  local asked, _, before = string.match(redis.call('HGET', run, 'ask:' .. claim.call) or '', '^(%S+) (%S+) (%d+)$')
  if asked then
    local said = redis.call('HGET', run .. ':e', 'approval:' .. asked)
    local outcome = said and cjson.decode(string.match(said, '\\n(.*)$')).outcome
    if not outcome or outcome.kind ~= 'approved' or outcome.argsHash ~= claim.argsHash then return { 'conflict' } end
    if not claim.again and now >= tonumber(before) then return { 'lapsed', before } end
  end
end
if move.unless and redis.call('HEXISTS', run .. ':e', move.unless) == 1 then return { 'gate-moved' } end
if move.intends then
  local by = stoppedBy(h[6], h[7], move.intends)
  if by then return { 'stopped', by, redis.call('HGET', p .. 'gate:switch/' .. by, 'version') or '0' } end
end

-- A full Redis refuses the first write of a script if it takes memory, and no write after it. So this one comes before any removal:
-- no intent slips in behind one.
redis.call('HSET', run, 'updated', int(now))
local counted = move.count and count(run, move.count)
if move.settle or move.ask or (move.to ~= 'stay' and not move.keeps) then settle(id, run, h[12], move.settle) end
local most, park = #ARGV, nil
if move.ask then
  local no = admit(id, run, epoch, nonce, move.ask)
  if counted and no and (no.budget or no.closed) then uncount(run, move.count, counted) end
  if no and no.budget then return { 'short', no.budget, no.tokens and int(no.tokens) or '', no.nano and int(no.nano) or '', no.met } end
  if no and no.closed then return { 'closed', no.closed, int(no.till) } end
  if no then
    most = most - move.ask.entries
    move.to, move.reason, move['until'] = 'moment', no.reason, no.till
    -- By hand: the order of its fields tells it when the commit is sent again.
    park = '{"kind":"parked","reason":"' .. no.reason .. '","about":"' .. move.ask.about .. '","until":' .. int(no.till) ..
      ',"message":' .. cjson.encode(no.message) .. '}'
  end
end

local entries = {}
for i = 8, most do entries[i - 7] = int(now) .. ' ' .. epoch .. ' ' .. nonce .. '\\n' .. ARGV[i] end
if park then entries[#entries + 1] = int(now) .. ' ' .. epoch .. ' ' .. nonce .. '\\n' .. park end
if #entries > 0 then redis.call('RPUSH', run .. ':j', unpack(entries)) end
for _, intent in ipairs(move.unknown or {}) do redis.call('ZADD', p .. 'unknowns', now, id .. ' ' .. intent) end
for i, ask in ipairs(move.asks or {}) do
  redis.call('HSET', run, 'ask:' .. ask.call, ask.record)
  -- In the order of the turn.
  redis.call('ZADD', p .. 'approvals', string.format('%.3f', now + i / 1000), id .. ' ' .. ask.id)
  h[13] = (h[13] and h[13] .. ' ' or '') .. ask.id
  redis.call('HSET', run, 'asks', h[13])
end
if move.asked and not h[3] then
  redis.call('XADD', p .. 'events', 'MAXLEN', '~', 100000, '*', 'type', 'approval.required', 'run', id, 'agent', h[6],
    'identifier', h[7], 'asked', move.asked)
end
-- While it stays, its next look stays as well: it comes too early, finds a living lease and moves on.
redis.call('HSET', run, 'version', math.max(o.version, tonumber(h[8]) or 0),
  'lease', move.to == 'stay' and int(now + o.lease) or '0', unpack(move.turned and { 'turned', '1' } or {}))
announce(id)
if move.needs and not (h[3] and move.needs[1]) then
  local isNew = setNeeds(id, run, h[10], move.needs, 'granted', move.kept)
  if isNew then emit('required', 'run', id, 'agent', h[6], 'needs', needsText(move.needs)) end
end
if move.to == 'stay' then return { 'ok', int(now), h[3] or '', unpack(made) } end

unseat(id, h[4], h[11] or nodeOf(h[4]))
if move.to == 'line' or (h[3] and move.to ~= 'end') then
  toLine(id, run)
elseif move.to == 'moment' then
  setStatus(id, run, h[2], h[9], 'parked', 'place', 'moment', 'reason', move.reason)
  if move.waits then
    redis.call('ZADD', p .. 'wait:' .. move.waits, move['until'], id)
    redis.call('PEXPIREAT', p .. 'wait:' .. move.waits, int(move['until'] + 60000))
  end
  redis.call('ZADD', p .. 'looks', move['until'], 'run:' .. id)
elseif move.to == 'gate' then
  local gates = {}
  for i, at in ipairs(move.gates) do
    gates[i] = at.gate
    redis.call('ZADD', p .. 'gate:' .. at.gate .. ':w', at.version, id)
    if not move.unless and string.sub(at.gate, 1, 7) ~= 'switch/' then
      -- In the next round of its connection, however long it has waited: somebody new waits.
      local connection = string.match(at.gate, '[^/]*$')
      redis.call('HSET', p .. 'gate:' .. at.gate, 'parked', int(now))
      -- A webhook that came before may have given it an end (due.ts).
      redis.call('PERSIST', p .. 'gate:' .. at.gate)
      redis.call('ZADD', p .. 'sweep:' .. connection, now, at.gate)
      redis.call('ZADD', p .. 'looks', 'NX', now + o.sweep, 'sweep:' .. connection)
    end
  end
  setStatus(id, run, h[2], h[9], 'parked', 'place', 'gate', 'reason', move.reason, 'gate', gatesText(run, gates))
  if move.after then redis.call('HSET', run, 'after', int(move.after), 'refused', move.needs[1].reason) end
  redis.call('ZADD', p .. 'looks', move['until'], 'run:' .. id)
else
  setStatus(id, run, h[2], h[9], move.status, 'place', 'none')
  local needs = h[10]
  if move.needs then needs = redis.call('HGET', run, 'needs') end
  setNeeds(id, run, needs, {}, move.status == 'expired' and 'expired')
  redis.call('ZADD', p .. 'runs:ended', now + o.keep, id .. ' ' .. move.status .. ' ' .. h[6] .. ' ' .. h[7])
  redis.call('ZREM', p .. 'looks', 'run:' .. id)
  for asked in string.gmatch(h[13] or '', '%S+') do
    redis.call('ZREM', p .. 'approvals', id .. ' ' .. asked)
  end
  redis.call('ZREM', p .. 'unfinished:' .. h[6] .. ':' .. h[7], id)
  -- Ticks that wait for this run to end: their schedule is due.
  if h[14] and redis.call('HEXISTS', p .. 'schedule:' .. h[14], 'buffer') == 1 then
    redis.call('ZADD', p .. 'schedules:due', 'XX', 'LT', now, h[14])
  end
  for _, key in ipairs({ run, run .. ':j', run .. ':e', run .. ':b', h[5] }) do
    if key ~= '' then redis.call('PEXPIRE', key, o.keep) end
  end
end
fill()
if park then return { 'parked', int(now), h[3] or '', park, unpack(made) } end
return { 'ok', int(now), h[3] or '', unpack(made) }
`;
