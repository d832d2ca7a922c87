/**
 * Lua of the scripts that change what runs need; stands behind SHARED. One record for each account that an unfinished run needs:
 *
 *   auth:<gate>     hash   reason, since, looked, reminded (how often), asked (nonce of the last reminder that was asked for)
 *   auth:<gate>:n   zset   runs that name it, by when each first did
 *   auths           zset   gates that have a record, by a sequence number; auths:identifier:<id> and auths:connection:<name> likewise
 *   looks                  remind:<gate>: when the next reminder is due
 *   events          stream what is told of them: type, and needs as "<gate>=<reason> …"
 *
 * A run's header keeps the gates that it names in `needs`. A record is there exactly as long as an unfinished run names it.
 */
export const NEEDS = `
local auths = p .. 'auths'

local function emit(what, ...)
  redis.call('XADD', p .. 'events', 'MAXLEN', '~', 100000, '*', 'type', 'authorization.' .. what, ...)
end

local function needsText(needs)
  local words = {}
  for i, need in ipairs(needs) do words[i] = need.gate .. '=' .. need.reason end
  return table.concat(words, ' ')
end

local function writeNeeds(run, gates)
  if #gates == 0 then return redis.call('HDEL', run, 'needs') end
  redis.call('HSET', run, 'needs', gatesText(run, gates))
end

local function indexes(gate)
  local identifier, connection = string.match(gate, '^account/([^/]+)/(.+)$')
  return { auths, auths .. ':identifier:' .. identifier, auths .. ':connection:' .. connection }
end

-- → whether nobody named the account before.
local function addNeed(id, need)
  local record = p .. 'auth:' .. need.gate
  redis.call('ZADD', record .. ':n', 'NX', now, id)
  local isNew = redis.call('HSETNX', record, 'since', int(now)) == 1
  redis.call('HSET', record, 'reason', need.reason, 'looked', int(now))
  if not isNew then return false end
  redis.call('HSET', record, 'reminded', '0')
  local sequence = redis.call('INCR', p .. 'sequence')
  for _, index in ipairs(indexes(need.gate)) do redis.call('ZADD', index, sequence, need.gate) end
  if o.remind[1] then redis.call('ZADD', p .. 'looks', now + o.remind[1], 'remind:' .. need.gate) end
  return true
end

-- The last one takes the record away, and tells why; without a word if nothing is to be said of it.
local function dropNeed(id, gate, why)
  local record = p .. 'auth:' .. gate
  redis.call('ZREM', record .. ':n', id)
  if redis.call('EXISTS', record .. ':n') == 1 then return end
  local reason = redis.call('HGET', record, 'reason')
  if redis.call('DEL', record) == 0 then return end
  for _, index in ipairs(indexes(gate)) do redis.call('ZREM', index, gate) end
  redis.call('ZREM', p .. 'looks', 'remind:' .. gate)
  if why then emit(why, 'run', id, 'needs', gate .. '=' .. reason) end
end

-- From now on the run needs these and no others, but for those of 'keep' that it needed before ('before': its header's text).
-- → whether nobody named one of these before
local function setNeeds(id, run, before, needs, why, keep)
  local all, named, kept, isNew = {}, {}, {}, false
  for _, gate in ipairs(keep or {}) do kept[gate] = true end
  for i, need in ipairs(needs) do
    all[i], named[need.gate] = need.gate, true
    isNew = addNeed(id, need) or isNew
  end
  for _, gate in ipairs(gatesOf(run, before)) do
    if kept[gate] and not named[gate] then
      all[#all + 1] = gate
    elseif not named[gate] then
      dropNeed(id, gate, why)
    end
  end
  if all[1] or (before and before ~= '') then writeNeeds(run, all) end
  return isNew
end

-- The run gives way to another, which needs what it needed until it has looked itself: nobody is asked again meanwhile.
local function handOver(id, run, to)
  local other = p .. 'run:' .. to
  local all, named = gatesOf(other, redis.call('HGET', other, 'needs')), {}
  for _, gate in ipairs(all) do named[gate] = true end
  for _, gate in ipairs(gatesOf(run, redis.call('HGET', run, 'needs'))) do
    local names = p .. 'auth:' .. gate .. ':n'
    redis.call('ZADD', names, 'NX', redis.call('ZSCORE', names, id), to)
    redis.call('ZREM', names, id)
    if not named[gate] then all[#all + 1] = gate end
    named[gate] = true
  end
  writeNeeds(run, {})
  writeNeeds(other, all)
end

-- A reminder is due; those that were due as well by now, while nobody woke, are left out. → whether it is to be told
local function dueAgain(gate)
  local since = tonumber(redis.call('HGET', p .. 'auth:' .. gate, 'since'))
  redis.call('ZREM', p .. 'looks', 'remind:' .. gate)
  if not since or not o.remind[1] then return false end
  for _, after in ipairs(o.remind) do
    if since + after > now then
      redis.call('ZADD', p .. 'looks', since + after, 'remind:' .. gate)
      break
    end
  end
  return true
end

-- One event for all needs of an identifier that are reminded of for the same time.
local function remind(gates, manual)
  local order, told = {}, {}
  for _, gate in ipairs(gates) do
    local number = int(redis.call('HINCRBY', p .. 'auth:' .. gate, 'reminded', 1))
    local key = indexes(gate)[2] .. ' ' .. number
    if not told[key] then
      told[key] = { number = number, needs = {} }
      order[#order + 1] = told[key]
    end
    table.insert(told[key].needs, { gate = gate, reason = redis.call('HGET', p .. 'auth:' .. gate, 'reason') })
  end
  for _, one in ipairs(order) do
    emit('reminded', 'needs', needsText(one.needs), 'number', one.number, 'manual', manual)
  end
end
`;
