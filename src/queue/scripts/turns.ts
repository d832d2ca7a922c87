/**
 * Lua for SHARED: who gets the next free slot. Caps nest: line → identifier → tenant → all, and each of them takes turns.
 *
 * A line is what waits of one identifier and agent in one queue: `<queue>:<identifier> <agent>`, or `… !` for runs that only have to end
 * and that no switch keeps. Nodes above it: `i:<identifier>`, `t:<tenant>`, `all`. A tenantless identifier stands where tenants do. An
 * agent whose own cap is above that of identifiers has a node of its own beside its user's: `i:<identifier> <agent>`; so have the runs
 * that only have to end: `i:<identifier> !`.
 *
 *   busy:<node>   zset   runs below it that have a slot, by since when (for a line: live:<line>)
 *   waits:<node>  zset   its children that have waiting runs, by their turn: when they began to wait, or were served last
 *   ready:<node>  zset   those of them that may go: below their cap, not stopped, with something below them that may go
 *   turn          string the last turn that was given out
 *   weights       hash   "tenant:<name>" or "identifier:<id>" → turns in each round, where that is more than one (weights.ts)
 *   used          hash   node → how many of its turns in this round it has had, if it has several
 *   caps          hash   identifier, tenant, total (0: none), agent:<agent>: as the worker said that was started last
 *   switches      hash   what an operator stopped, "agent:<name>" and so on → who, why, when (switches.ts)
 *   stopped:<switch> set "<parent>\t<child>" that did not go because of it: they are looked at again when it is resumed
 *
 * Lines in waits:<identifier> have their best run's rank as their turn: own priority first, then first come, whatever the agent.
 * Whoever is served goes to the end once he has had all his turns of this round (one, but for weights), whoever was full comes back to where he stood: nobody is served twice before another who could go.
 * Each step costs a few sorted sets of a node's children, never a look at all of them; what waits for nothing has no keys.
 */
export const TURNS = `
-- Slots given, or nodes put aside, by one script at most; the next one goes on.
local MOST = 100

local caps
local function capOf(name)
  if not caps then
    caps = {}
    local flat = redis.call('HGETALL', p .. 'caps')
    for i = 1, #flat, 2 do caps[flat[i]] = tonumber(flat[i + 1]) end
    if not caps.identifier then caps.identifier, caps.tenant, caps.total = o.cap, o.tenant, o.total end
  end
  local cap = caps[name]
  return cap and cap > 0 and cap or nil
end

local isSwitched
local function isOff(switch)
  if isSwitched == nil then isSwitched = redis.call('EXISTS', p .. 'switches') == 1 end
  return isSwitched and redis.call('HEXISTS', p .. 'switches', switch) == 1
end

-- Of a run that is about to begin something: 'also' names what it would use.
local function stoppedBy(agent, identifier, also)
  if not isOff('agent:' .. agent) and isSwitched == false then return nil end
  local tenant = redis.call('HGET', p .. 'tenants', identifier)
  for _, name in ipairs({ 'agent:' .. agent, 'identifier:' .. identifier, 'tenant:' .. (tenant or ''), unpack(also) }) do
    if isOff(name) then return name end
  end
end

local function lineOf(queue, identifier, agent, ends) return queue .. ':' .. identifier .. ' ' .. (ends and '!' or agent) end

-- A line that an older Errand named has no agent.
local function nodeOf(line)
  local identifier, agent = string.match(line, '^[^:]+:(%S+) ?(%S*)$')
  if agent == '!' then return 'i:' .. identifier .. ' !' end
  local own = agent ~= '' and capOf('agent:' .. agent)
  return 'i:' .. identifier .. (own and own > capOf('identifier') and ' ' .. agent or '')
end

local parents = {}
local function parentOf(node)
  if not parents[node] then
    local identifier, more = string.match(node, '^i:(%S+) ?(%S*)$')
    local tenant = identifier and more ~= '!' and redis.call('HGET', p .. 'tenants', identifier)
    parents[node] = tenant and 't:' .. tenant or 'all'
  end
  return parents[node]
end

-- → whether there is a free slot; the switch that it is stopped by
local function room(node)
  local cap, switch
  if node == 'all' then
    cap = capOf('total')
  elseif string.sub(node, 1, 2) == 't:' then
    cap, switch = capOf('tenant'), 'tenant:' .. string.sub(node, 3)
  else
    local identifier, more = string.match(node, '^i:(%S+) ?(%S*)$')
    cap = more ~= '' and more ~= '!' and capOf('agent:' .. more) or capOf('identifier')
    switch = more ~= '!' and 'identifier:' .. identifier
  end
  if switch and isOff(switch) then return false, switch end
  return not cap or redis.call('ZCARD', p .. 'busy:' .. node) < cap
end

local function lineRoom(line)
  local agent = string.match(line, ' (%S+)$')
  if not agent or agent == '!' then return true end
  if isOff('agent:' .. agent) then return false, 'agent:' .. agent end
  local cap = capOf('agent:' .. agent)
  return not cap or redis.call('ZCARD', p .. 'live:' .. line) < cap
end

local isWeighed
local function hasWeights()
  if isWeighed == nil then isWeighed = redis.call('EXISTS', p .. 'weights') == 1 end
  return isWeighed
end

local function weightOf(node)
  if string.sub(node, 1, 2) == 't:' then return tonumber(redis.call('HGET', p .. 'weights', 'tenant:' .. string.sub(node, 3))) or 1 end
  local identifier, more = string.match(node, '^i:(%S+) ?(%S*)$')
  return more ~= '!' and tonumber(redis.call('HGET', p .. 'weights', 'identifier:' .. identifier)) or 1
end

-- It goes to the end, or keeps its place for the turns that it still has in this round.
local function serveChild(parent, child, turn)
  local waits = p .. 'waits:' .. parent
  if hasWeights() and redis.call('ZSCORE', waits, child) then
    if redis.call('HINCRBY', p .. 'used', child, 1) < weightOf(child) then return end
    redis.call('HDEL', p .. 'used', child)
  end
  redis.call('ZADD', waits, 'XX', turn, child)
end

-- Puts a child where it belongs among its parent's.
local function stand(parent, child)
  local waits, ready = p .. 'waits:' .. parent, p .. 'ready:' .. parent
  local isLine = string.sub(parent, 1, 2) == 'i:'
  local turn, mayGo, switch, was = false, false, false, false
  if isLine then
    turn = redis.call('ZRANGE', p .. 'line:' .. child, 0, 0, 'WITHSCORES')[2]
    if turn then mayGo, switch = lineRoom(child) end
  elseif redis.call('EXISTS', p .. 'waits:' .. child) == 1 then
    was = redis.call('ZSCORE', waits, child)
    turn = was or int(redis.call('INCR', p .. 'turn'))
    mayGo, switch = room(child)
    mayGo = mayGo and redis.call('EXISTS', p .. 'ready:' .. child) == 1
  end
  if not turn then
    redis.call('ZREM', waits, child)
    if not isLine and hasWeights() then redis.call('HDEL', p .. 'used', child) end
  elseif not was then
    redis.call('ZADD', waits, turn, child)
  end
  if switch then redis.call('SADD', p .. 'stopped:' .. switch, parent .. '\\t' .. child) end
  if mayGo then redis.call('ZADD', ready, turn, child) else redis.call('ZREM', ready, child) end
end

local function standUp(node)
  local parent = parentOf(node)
  stand(parent, node)
  if parent ~= 'all' then stand('all', parent) end
end

local function standAll(line, node)
  stand(node, line)
  standUp(node)
end

-- The node and those above it.
local function upwards(node)
  local parent = parentOf(node)
  return parent == 'all' and { node, 'all' } or { node, parent, 'all' }
end

local function seat(id, line, node)
  redis.call('ZADD', p .. 'live:' .. line, now, id)
  for _, of in ipairs(upwards(node)) do redis.call('ZADD', p .. 'busy:' .. of, now, id) end
end

-- Its slot gets free; who goes next is for fill.
local function unseat(id, line, node)
  redis.call('ZREM', p .. 'live:' .. line, id)
  local parent = parentOf(node)
  for _, of in ipairs(upwards(node)) do redis.call('ZREM', p .. 'busy:' .. of, id) end
  -- Room for one more makes nobody less ready than he is.
  local function isReady(of, child) return redis.call('ZSCORE', p .. 'ready:' .. of, child) end
  if redis.call('EXISTS', p .. 'line:' .. line) == 1 and not isReady(node, line) then stand(node, line) end
  if redis.call('EXISTS', p .. 'waits:' .. node) == 1 and not isReady(parent, node) then stand(parent, node) end
  if parent ~= 'all' and redis.call('EXISTS', p .. 'waits:' .. parent) == 1 and not isReady('all', parent) then
    stand('all', parent)
  end
end

-- A run gets its slot, and a ticket that the caller adds to BullMQ. Lost on the way, the next look makes it again.
local function goLive(id, run, line, node, last, queue, agent)
  local number, parent, turn = raise(last), parentOf(node), int(redis.call('INCR', p .. 'turn'))
  redis.call('HSET', run, 'place', 'live', 'node', node, 'ticket', int(number), 'lease', '0')
  seat(id, line, node)
  serveChild(parent, node, turn)
  if parent ~= 'all' then serveChild('all', parent, turn) end
  redis.call('ZADD', p .. 'looks', now + o.grace, 'run:' .. id)
  ticket(id, number, queue, agent)
end

local function first(key) return redis.call('ZRANGE', key, 0, 0)[1] end

-- One step: a slot for the next in turn, or one node put aside that stands among the ready ones and is not. → whether there may be more
local function serve()
  if not room('all') then return false end
  local node, parent = first(p .. 'ready:all'), 'all'
  if not node then return false end
  if string.sub(node, 1, 2) == 't:' then
    parent, node = node, room(node) and first(p .. 'ready:' .. node)
    if not node then
      stand('all', parent)
      return true
    end
  end
  if parentOf(node) ~= parent then
    -- Its tenant was recorded since.
    for _, kind in ipairs({ 'waits:', 'ready:' }) do redis.call('ZREM', p .. kind .. parent, node) end
    if parent ~= 'all' then stand('all', parent) end
    standUp(node)
    return true
  end
  local line = room(node) and first(p .. 'ready:' .. node)
  if not line then
    standUp(node)
    return true
  end
  if lineRoom(line) then
    local id = redis.call('ZPOPMIN', p .. 'line:' .. line)[1]
    local run = id and p .. 'run:' .. id
    local h = id and redis.call('HMGET', run, 'place', 'ticket', 'queue', 'agent', 'line')
    -- What stands in a line that it should not has only left it.
    if id and h[1] == 'line' and h[5] == line then
      goLive(id, run, line, node, h[2], h[3], h[4])
    end
  end
  standAll(line, node)
  return true
end

local function fill()
  if redis.call('EXISTS', p .. 'ready:all') == 0 then return end
  for _ = 1, MOST do
    if not serve() then return end
  end
end

-- All that an identifier may have, but for that of runs that only have to end.
local function nodesOf(identifier)
  capOf('identifier')
  local nodes = { 'i:' .. identifier }
  for name in pairs(caps) do
    local agent = string.match(name, '^agent:(.*)$')
    if agent then nodes[#nodes + 1] = 'i:' .. identifier .. ' ' .. agent end
  end
  return nodes
end

-- What waits already, or has a slot, stood where tenants do.
local function recordTenant(identifier, tenant)
  redis.call('HSET', p .. 'tenants', identifier, tenant)
  parents = {}
  for _, node in ipairs(nodesOf(identifier)) do
    for _, kind in ipairs({ 'waits:', 'ready:' }) do redis.call('ZREM', p .. kind .. 'all', node) end
    for _, id in ipairs(redis.call('ZRANGE', p .. 'busy:' .. node, 0, -1)) do redis.call('ZADD', p .. 'busy:t:' .. tenant, now, id) end
    standUp(node)
  end
end

-- A run whose header says that it stands in this line.
local function enter(id, run, line, rank, last, queue, agent)
  local node = nodeOf(line)
  local isFirst = redis.call('EXISTS', p .. 'ready:all', p .. 'line:' .. line) == 0
  if isFirst and room('all') and room(node) and lineRoom(line) then
    local parent = parentOf(node)
    if parent == 'all' or room(parent) then return goLive(id, run, line, node, last, queue, agent) end
  end
  redis.call('ZADD', p .. 'line:' .. line, rank, id)
  standAll(line, node)
  fill()
end

-- One of many: it stands in its line with the others, and what that means for the turns is worked out once a line, by standEntered.
local entered = {}
local function enterLater(id, line, rank)
  put('ZADD', p .. 'line:' .. line, rank, id)
  if not entered[line] then
    entered[line] = true
    entered[#entered + 1] = line
  end
end

-- Whoever has moved many runs owes this call.
local function standEntered()
  putAll()
  for _, line in ipairs(entered) do standAll(line, nodeOf(line)) end
  entered = {}
  fill()
end
`;
