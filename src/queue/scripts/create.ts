import { COALESCE } from "./coalesce.ts";
import { NEEDS } from "./needs.ts";
import { SHARED } from "./shared.ts";

/**
 * ARGV 3 run id · 4 nonce · 5 agent · 6 identifier · 7 tenant or '' · 8 queue · 9 priority · 10 idempotency hash or ''
 *      11 input hash · 12 the first decision as JSON · 13 'all', 'latest' or 'skip' · 14 Redis ms from when it covers, or ''
 *      15 the agent's own cap, or '' · 16 what the identifier and the tenant may enqueue as JSON, or nothing (see \`EnqueueBound\`)
 * → { 'ok' | 'same' | 'conflict' | 'tenant' | 'skipped', run id or recorded tenant, tickets… } · { 'runs' | 'parked', whose, how many }
 *
 * A function, because a schedule's tick creates its runs in the step that says so (schedule-write.ts). `own`: runs of that schedule that
 * give way to this one, whatever the policy.
 */
export const CREATE_RUN: string = `${SHARED}${NEEDS}${COALESCE}
local function create(ARGV, own)
local id, nonce, agent, identifier, tenant, queue = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'created-by', 'place', 'lease', 'ticket', 'queue', 'agent')
if h[1] == nonce then
  -- Its ticket was lost with the reply: made again now, and not by the next looks.
  if h[2] == 'live' and h[3] == '0' then ticket(id, tonumber(h[4]), h[5], h[6]) end
  return { 'ok', id, unpack(made) }
end
local idem = ''
if ARGV[10] ~= '' then
  idem = p .. 'idem:' .. ARGV[10]
  local known = redis.call('GET', idem)
  if known then
    local other, hash = string.match(known, '^(%S+) (%S+)$')
    if redis.call('EXISTS', p .. 'run:' .. other) == 1 then
      return { hash == ARGV[11] and 'same' or 'conflict', other }
    end
  end
end
local recorded = redis.call('HGET', p .. 'tenants', identifier)
if recorded and recorded ~= tenant then return { 'tenant', recorded } end
if tenant ~= '' and not recorded then recordTenant(identifier, tenant) end

local policy, from, given = ARGV[13], tonumber(ARGV[14]), own or {}
if policy ~= 'all' then
  local waits, idle, earliest = superfluous(agent, identifier)
  if waits and policy == 'skip' then return { 'skipped', waits } end
  if waits then given = idle end
  if #given > 0 and earliest then from = math.min(from or earliest, earliest) end
end

local bounds = ARGV[16] and cjson.decode(ARGV[16]) or {}
for _, bound in ipairs(bounds) do
  local spent = tonumber(redis.call('HGET', p .. 'spend:' .. bound.day, 'runs')) or 0
  if bound.runs and spent >= bound.runs then return { 'runs', bound.whose, int(spent) } end
  local parked = bound.parked and redis.call('SCARD', p .. 'parked:' .. bound.whose) or -1
  if bound.parked and parked >= bound.parked then return { 'parked', bound.whose, int(parked) } end
end
for _, bound in ipairs(bounds) do
  redis.call('HINCRBY', p .. 'spend:' .. bound.day, 'runs', 1)
  redis.call('PEXPIREAT', p .. 'spend:' .. bound.day, int(bound.endsAt + 3 * 86400000))
end

-- Until a worker says what holds.
if ARGV[15] ~= '' then redis.call('HSETNX', p .. 'caps', 'agent:' .. agent, ARGV[15]) end
local line = lineOf(queue, identifier, agent, false)
local sequence = redis.call('INCR', p .. 'sequence')
local rank = (tonumber(ARGV[9]) + 1000) * 1099511627776 + sequence
setStatus(id, run, false, sequence, 'queued', 'created-by', nonce, 'sequence', sequence, 'place', 'line', 'agent', agent, 'identifier', identifier,
  'tenant', tenant, 'queue', queue, 'line', line, 'rank', int(rank), 'priority', ARGV[9], 'version', o.version, 'idem', idem, 'ticket', '0',
  'epoch', '0', 'lease', '0', 'created', int(now), 'updated', int(now))
for _, index in ipairs({ 'all', 'agent:' .. agent, 'identifier:' .. identifier }) do
  redis.call('ZADD', p .. 'runs:' .. index, sequence, id)
end
redis.call('ZADD', p .. 'unfinished:' .. agent .. ':' .. identifier, sequence, id)
redis.call('RPUSH', run .. ':j', int(now) .. ' 0 ' .. nonce .. '\\n' .. ARGV[12])
if from then redis.call('HSET', run, 'from', int(from)) end
if #given > 0 then
  redis.call('RPUSH', run .. ':j', int(now) .. ' 0 ' .. nonce .. '\\n' ..
    cjson.encode({ kind = 'covers', from = from, supersedes = given }))
end
if idem ~= '' then redis.call('SET', idem, id .. ' ' .. ARGV[11]) end
for _, other in ipairs(given) do giveWay(other, id) end
enter(id, run, line, int(rank), '0', queue, agent)
announce(id)
return { 'ok', id, unpack(made) }
end
`;

export const CREATE: string = `${CREATE_RUN}
return create(ARGV)
`;
