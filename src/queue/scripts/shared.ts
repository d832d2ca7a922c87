import { TURNS } from "./turns.ts";

/**
 * Lua that several scripts share. Every script gets: KEYS[1] a key of the shard (for routing), ARGV[1] the shard's prefix
 * `{errand:0}:`, ARGV[2] options as JSON: { cap, tenant, total, grace, lease, sweep, keep, remind } (ms, but for the
 * three caps; 0: none), and the journal's `version`.
 *
 * Keys under the prefix:
 *   run:<id>        hash   the run's header: status, place, agent, identifier, queue, ticket, epoch, lease, gate, needs, …
 *   run:<id>:j      list   decisions: "<at> <epoch> <nonce>\n<JSON>"
 *   run:<id>:e      hash   evidence: intent nonce → "<at>\n<JSON>"
 *   run:<id>:b      hash   large results: "<intent nonce>:<piece>" → bytes (blobs.ts)
 *   line:<line>     zset   runs that wait for a slot, live:<line> those that have one; what a line is, and whose turn it is: turns.ts
 *   gate:<gate>     hash   version, parked (when the last run parked there); gate:<gate>:w zset waiters by the version they saw
 *   looks           zset   next looks in Redis ms: run:<id>, sweep:<connection> for the next round of a connection, gate:<gate>
 *                          that a webhook asked to look at; asked:<gate> and heard:<message> say so, for a while (ask.ts);
 *                          remind:<gate> for a reminder
 *   sweep:<connection> zset gates whose accounts are looked at in rounds, by the moment from which on they are in the next one
 *   unfinished:<agent>:<identifier>  zset  runs that have not ended, by sequence number, for coalescing
 *   unknowns        zset   "<id> <intent>" of attempts whose outcome nobody knows, by when that was written down
 *   approvals       zset   "<id> <approval>" of calls that wait for a person's word, by when it was asked for; in the run's hash
 *                          "ask:<call>" → "<approval> <arguments' hash> <until>" is what an intent is checked against, and "asks"
 *                          all approvals that were asked for
 *   rate:<limit>    zset   nonces of what was taken of a limit, by when
 *   losses:<connection> zset gates of accounts that were lost of late, by when; held:<connection> string since when it is an outage
 *   parked:<whose>  set    runs that are parked, of identifier:<id> and tenant:<name>, if a budget limits them; spend:<name>: admit.ts
 *   idem:<hash>     string idempotency key → "<run> <input hash>"
 *   runs:<by>:<v>   zset   indexes by status, agent and identifier, scored by the run's sequence number; runs:all likewise
 *   runs:ended      zset   "<id> <status> <agent> <identifier>" by the moment when the run expires, to clean the indexes
 *
 * A run's `place` says where it stands, and it stands in no other: line, live, gate, moment or none (ended). At "gate" it stands at
 * each of those that its header's `gate` names, and goes on when the last of them has opened. Accounts: see needs.ts.
 */
export const BASE: string = `
local p = ARGV[1]
local o = cjson.decode(ARGV[2])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local function int(n) return string.format('%.0f', n) end
local function final(status)
  return status == 'completed' or status == 'failed' or status == 'cancelled' or status == 'expired'
end

-- A hint for whoever watches the run; the journal is the truth.
local function announce(id) redis.call('PUBLISH', p .. 'run:' .. id, int(now)) end
`;

/** With what moves runs between their places: each call of a script makes all of its functions anew, so what needs none of them does without. */
export const SHARED: string = `${BASE}
local made = {}

-- Numbers that are compared (epoch, ticket, version) never repeat, even if a crash of Redis lost the last one.
local function raise(last) return math.max((tonumber(last) or 0) + 1, now) end

-- A run gets its slot, and a ticket that the caller adds to BullMQ. Lost on the way, the next look makes it again.
local function ticket(id, number, queue, agent)
  made[#made + 1] = id
  made[#made + 1] = int(number)
  made[#made + 1] = queue
  made[#made + 1] = agent
end

-- Members of sorted sets, one after the other, or, where many runs are moved ('many' is set), each key's in one command at the end: that
-- is a third of what a woken run costs. Until then nobody may read these keys.
local many
local function put(command, key, ...)
  if not many then return redis.call(command, key, ...) end
  local of = command .. key
  if not many[of] then
    many[of] = { command, key }
    many[#many + 1] = of
  end
  for _, it in ipairs({ ... }) do table.insert(many[of], it) end
end

local function putAll()
  for _, of in ipairs(many or {}) do redis.call(unpack(many[of])) end
  many = nil
end

${TURNS}
-- The only way a status changes: index and header, with more fields of it, in one step.
local function setStatus(id, run, from, sequence, to, ...)
  redis.call('HSET', run, 'status', to, ...)
  if from == to then return end
  if o.parked and (from == 'parked' or to == 'parked') then
    local h = redis.call('HMGET', run, 'identifier', 'tenant')
    for i, whose in ipairs({ 'identifier:', 'tenant:' }) do
      if h[i] and h[i] ~= '' then redis.call(to == 'parked' and 'SADD' or 'SREM', p .. 'parked:' .. whose .. h[i], id) end
    end
  end
  if from then put('ZREM', p .. 'runs:status:' .. from, id) end
  put('ZADD', p .. 'runs:status:' .. to, sequence, id)
end

-- A run's own accounts stand in its header without its identifier, which keeps it small: "/gmail /slack" for
-- account/<identifier>/gmail and …/slack. Encoded as JavaScript's encodeURIComponent does it.
local accounts = {}
local function accountOf(run)
  local function code(c) return string.format('%%%02X', string.byte(c)) end
  if not accounts[run] then
    accounts[run] = 'account/' .. string.gsub(redis.call('HGET', run, 'identifier'), "[^%w%-_%.!~%*'%(%)]", code)
  end
  return accounts[run]
end

local function gatesOf(run, text)
  local gates, account = {}, nil
  for word in string.gmatch(text or '', '%S+') do
    if string.sub(word, 1, 1) == '/' then
      account = account or accountOf(run)
      word = account .. word
    end
    gates[#gates + 1] = word
  end
  return gates
end

local function gatesText(run, gates)
  local account, words = accountOf(run), {}
  for i, gate in ipairs(gates) do
    words[i] = string.sub(gate, 1, #account) == account and string.sub(gate, #account + 1) or gate
  end
  return table.concat(words, ' ')
end

-- It waits at none of its gates any more.
local function leaveGates(id, run, text)
  for _, gate in ipairs(gatesOf(run, text)) do redis.call('ZREM', p .. 'gate:' .. gate .. ':w', id) end
end

-- To its line; first come counts from its creation, so a woken run keeps its rank among its user's runs. One that only has to end
-- goes to a line that no switch keeps. Where many are moved, the caller says standEntered after the last one.
local function toLine(id, run, ends)
  local h = redis.call('HMGET', run, 'queue', 'identifier', 'agent', 'cancel', 'rank', 'status', 'sequence', 'ticket')
  local line = lineOf(h[1], h[2], h[3], ends or h[4])
  setStatus(id, run, h[6], h[7], 'queued', 'place', 'line', 'line', line, 'updated', int(now))
  redis.call('HDEL', run, 'reason', 'gate', 'after', 'refused')
  put('ZREM', p .. 'looks', 'run:' .. id)
  if many then return enterLater(id, line, h[5]) end
  enter(id, run, line, h[5], h[8], h[1], h[3])
end

-- What it waits for at this gate is there: a person's word.
local function goOn(id, run, gate)
  redis.call('ZREM', p .. 'gate:' .. gate .. ':w', id)
  toLine(id, run)
end
`;
