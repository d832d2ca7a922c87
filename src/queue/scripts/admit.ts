/**
 * Lua of the scripts that ask before they do (`ask` of a commit) and of those that close and open cool-downs; stands behind SHARED.
 *
 *   cool:<key>       hash   until, why, strikes, by, first: a cool-down; it stays for a while after `until`, to remember the strikes
 *   cooled:<key>     zset   narrower keys that were closed of late, by when
 *   wait:<key>       zset   runs that wait for it at a moment, by that moment: each behind the other, so that they come back one by one
 *   busy:<profile>   zset   runs whose model call is under way, by their epoch: one that has lost its lease has no call any more
 *   rate:calls:<gate>    zset calls of one identifier on a connection, by when
 *   rate:model:<profile> zset nonces of requests, by when; tpm:<profile> hash tens of seconds → tokens
 *   spend:<name>     hash   tokens and nano spent, kept-tokens and kept-nano kept aside, extra-tokens and extra-nano given on top;
 *                           turns, toolCalls, activeMs, resultChars that were counted, extra-… of each
 *   run:<id>         field  counted: what of these the run has told
 *   run:<id>         field  kept: what its call keeps aside, as JSON
 */
export const ADMIT = `
local SLOT = 10000

-- → one that waits, to its line. Those that gave up are skipped.
local function wakeOne(key)
  while true do
    local popped = redis.call('ZPOPMIN', p .. 'wait:' .. key)
    if #popped == 0 then return end
    local run = p .. 'run:' .. popped[1]
    local h = redis.call('HMGET', run, 'place', 'reason')
    if h[1] == 'moment' and h[2] == 'rate-limit' then
      toLine(popped[1], run)
      announce(popped[1])
      return
    end
  end
end

-- Those that wait for it are looked at soon, one after the other. The rest comes at its own moment.
local function wakeAll(key)
  for i, id in ipairs(redis.call('ZRANGE', p .. 'wait:' .. key, 0, 999)) do
    if redis.call('HGET', p .. 'run:' .. id, 'place') == 'moment' then
      redis.call('ZADD', p .. 'looks', 'XX', 'LT', now + i * 20, 'run:' .. id)
    end
  end
  redis.call('DEL', p .. 'wait:' .. key)
end

local function reopen(key)
  redis.call('DEL', p .. 'cool:' .. key)
  wakeAll('cool:' .. key)
end

-- What was kept aside is given back, and what was used is spent. Of a call that was lost nobody knows: all of it may have been billed.
local function settle(id, run, text, used)
  if not text then return end
  redis.call('HDEL', run, 'kept')
  local kept = cjson.decode(text)
  local tokens, nano = used and used.tokens or kept.tokens, used and used.nano or kept.nano
  for _, name in ipairs(kept.budgets) do
    local key = p .. 'spend:' .. name
    if redis.call('EXISTS', key) == 1 then
      redis.call('HINCRBY', key, 'kept-tokens', int(0 - kept.tokens))
      redis.call('HINCRBY', key, 'kept-nano', int(0 - kept.nano))
      redis.call('HINCRBY', key, 'tokens', int(tokens))
      redis.call('HINCRBY', key, 'nano', int(nano))
    end
  end
  if kept.slot and redis.call('HEXISTS', p .. 'tpm:' .. kept.profile, kept.slot) == 1 then
    redis.call('HINCRBY', p .. 'tpm:' .. kept.profile, kept.slot, int(tokens - kept.tokens))
  end
  if kept.busy then
    redis.call('ZREM', p .. 'busy:' .. kept.profile, id)
    wakeOne('busy:' .. kept.profile)
  end
  if used and used.ok then
    for _, key in ipairs(kept.cool) do reopen(key) end
  end
end

local WORDS = { cool = 'a cool-down of ', calls = 'calls a minute to ', busy = 'calls at once to model/', rate = 'requests a minute to model/',
  tpm = 'tokens a minute to model/' }

-- It waits for the key behind all others that do, until a moment of its own. One that cannot park stands nowhere.
local stays
local function waitFor(id, key, from, reason, spacing, random)
  if stays then return { budget = key } end
  local waits = p .. 'wait:' .. key
  redis.call('ZREMRANGEBYSCORE', waits, '-inf', now)
  redis.call('ZREM', waits, id)
  local last = redis.call('ZRANGE', waits, -1, -1, 'WITHSCORES')[2]
  local till = math.ceil(math.max(from, tonumber(last) or 0) + (0.5 + random) * spacing)
  redis.call('ZADD', waits, till, id)
  redis.call('PEXPIREAT', waits, int(till + 60000))
  local kind, name = string.match(key, '^(%a+):(.*)$')
  return { reason = reason, till = till, message = WORDS[kind] .. name }
end

-- Who comes now does not overtake those that wait.
local function mustQueue(key, ask)
  return not ask.waited and redis.call('ZCOUNT', p .. 'wait:' .. key, now + 1, '+inf') > 0
end

local PARKS = { ['rate-limit'] = 'rate-limit', billing = 'budget', credentials = 'outage' }

-- → nothing when it is cool, or how to wait; keys that this run may probe are added to 'probed'.
local function checkCool(id, ask, spacing, probed)
  for _, key in ipairs(ask.cool) do
    local h = redis.call('HMGET', p .. 'cool:' .. key, 'until', 'why')
    if h[1] and tonumber(h[1]) > now then
      if ask.stays then return { closed = key, till = tonumber(h[1]) } end
      return waitFor(id, 'cool:' .. key, tonumber(h[1]), PARKS[h[2]], spacing, ask.random)
    end
    if h[1] then probed[#probed + 1] = key end
  end
end

-- Calls under way, without those of runs that have lost their lease: they were aborted, or died.
local function isBusy(profile, most)
  local busy = p .. 'busy:' .. profile
  if redis.call('ZCARD', busy) < most then return false end
  local all = redis.call('ZRANGE', busy, 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do
    local h = redis.call('HMGET', p .. 'run:' .. all[i], 'epoch', 'lease')
    if not h[1] or tonumber(h[1]) ~= tonumber(all[i + 1]) or tonumber(h[2]) <= now then redis.call('ZREM', busy, all[i]) end
  end
  return redis.call('ZCARD', busy) >= most
end

-- → the moment from which on there is room for one more, 0: now. Exact: never more in any minute.
local function requestsFrom(profile, most)
  local key = p .. 'rate:model:' .. profile
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - 60000)
  if redis.call('ZCARD', key) < most then return 0 end
  return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]) + 60000
end

-- As requestsFrom, for several at once.
local function callsFrom(bound)
  local key = p .. 'rate:calls:' .. bound.key
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - 60000)
  local over = redis.call('ZCARD', key) + math.max(1, bound.calls) - bound.most
  if over <= 0 then return 0 end
  return tonumber(redis.call('ZRANGE', key, over - 1, over - 1, 'WITHSCORES')[2]) + 60000
end

-- In tens of seconds: what was taken up to 70 s ago counts, so no minute has more. One that is larger than the limit goes alone.
local function tokensFrom(profile, most, tokens)
  local key, slot = p .. 'tpm:' .. profile, math.floor(now / SLOT)
  local sum, oldest = 0, nil
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local at = tonumber(all[i])
    if at < slot - 6 then
      redis.call('HDEL', key, all[i])
    else
      sum = sum + tonumber(all[i + 1])
      if tonumber(all[i + 1]) > 0 then oldest = math.min(oldest or at, at) end
    end
  end
  if sum <= 0 or sum + tokens <= most then return 0 end
  return (oldest + 7) * SLOT
end

local COUNTS = { 'turns', 'toolCalls', 'activeMs', 'resultChars' }

local function countedOf(run)
  local counted = {}
  for n in string.gmatch(redis.call('HGET', run, 'counted') or '', '%d+') do counted[#counted + 1] = tonumber(n) end
  return counted
end

-- So many more than 'counted', which the run has told before.
local function countMore(run, counted, more, days)
  for i, name in ipairs(COUNTS) do
    counted[i] = int((counted[i] or 0) + (more[name] or 0))
    for _, day in ipairs((more[name] or 0) ~= 0 and days or {}) do
      redis.call('HINCRBY', p .. 'spend:' .. day.name, name, int(more[name]))
      redis.call('PEXPIREAT', p .. 'spend:' .. day.name, int(day.endsAt + 3 * 86400000))
    end
  end
  redis.call('HSET', run, 'counted', table.concat(counted, ' '))
end

-- What a run has come to since it was last counted is added to the days at hand. It tells totals, so nothing counts twice.
local function count(run, counting)
  local counted, more = countedOf(run), {}
  for i, name in ipairs(COUNTS) do more[name] = math.max(0, counting.totals[name] - (counted[i] or 0)) end
  countMore(run, counted, more, counting.days)
  return more
end

-- Of a commit that counted before it was refused: what it counts is not written, and may never be.
local function uncount(run, counting, more)
  for i, name in ipairs(COUNTS) do more[name] = -more[name] end
  countMore(run, countedOf(run), more, counting.days)
end

-- → nothing when it fits, or what is left of the budgets that it does not fit into
local function checkBudgets(reserve, begins)
  local short
  for _, budget in ipairs(reserve.budgets) do
    local h = redis.call('HMGET', p .. 'spend:' .. budget.name, 'tokens', 'kept-tokens', 'extra-tokens', 'nano', 'kept-nano', 'extra-nano')
    for i, unit in ipairs({ 'tokens', 'nano' }) do
      local most = budget[unit]
      if most then
        local at = i * 3 - 2
        local left = most + (tonumber(h[at + 2]) or 0) - (tonumber(h[at]) or 0) - (tonumber(h[at + 1]) or 0)
        if reserve[unit] > left then
          short = short or { budget = budget.name }
          short[unit] = math.min(short[unit] or left, left)
        end
      end
    end
    for _, name in ipairs(COUNTS) do
      local most = budget.counts and budget.counts[name]
      if most then
        local h = redis.call('HMGET', p .. 'spend:' .. budget.name, name, 'extra-' .. name)
        local more = name == 'toolCalls' and begins > 0 and begins or 1
        if (tonumber(h[1]) or 0) + more > most + (tonumber(h[2]) or 0) then return { budget = budget.name, met = name } end
      end
    end
  end
  return short
end

-- → nothing: allowed, and kept aside. { till, reason, message }: wait. { budget, tokens, nano }: so much is left. { closed, till }
local function admit(id, run, epoch, nonce, ask)
  local model, probed = ask.model, {}
  stays = ask.stays
  local rate = model and model.requestsPerMinute
  local spacing = rate and 60000 / rate or 20
  local wait = checkCool(id, ask, spacing, probed)
  if wait then return wait end
  local reserve = ask.reserve or { tokens = 0, nano = 0, budgets = {} }
  local function room(kind, from, gap)
    local key = kind .. ':' .. model.profile
    if from <= now and mustQueue(key, ask) then from = now end
    if from > 0 then return waitFor(id, key, from, 'rate-limit', gap, ask.random) end
  end
  wait = model and (
    model.concurrency and room('busy', isBusy(model.profile, model.concurrency) and now + o.lease or 0, 20) or
    rate and room('rate', requestsFrom(model.profile, rate), spacing) or
    model.tokensPerMinute and room('tpm', tokensFrom(model.profile, model.tokensPerMinute, reserve.tokens), spacing))
  if wait then return wait end
  local begins = ask.begins or 0
  local short = checkBudgets(reserve, begins)
  if short then return short end
  for _, bound in ipairs(ask.calls or {}) do
    local key, from = 'calls:' .. bound.key, callsFrom(bound)
    if from <= now and mustQueue(key, ask) then from = now end
    if from > 0 then return waitFor(id, key, from, 'rate-limit', 60000 / bound.most, ask.random) end
  end
  for _, bound in ipairs(ask.calls or {}) do
    local key = p .. 'rate:calls:' .. bound.key
    for i = 1, bound.calls do redis.call('ZADD', key, now, nonce .. ':' .. i) end
    if bound.calls > 0 then redis.call('PEXPIRE', key, 60000) end
  end
  if begins > 0 then countMore(run, countedOf(run), { toolCalls = begins }, reserve.budgets) end

  if not model then return end
  local kept = { profile = model.profile, tokens = reserve.tokens, nano = reserve.nano, budgets = {}, cool = probed }
  for i, budget in ipairs(reserve.budgets) do
    local key = p .. 'spend:' .. budget.name
    redis.call('HINCRBY', key, 'kept-tokens', int(reserve.tokens))
    redis.call('HINCRBY', key, 'kept-nano', int(reserve.nano))
    redis.call('PEXPIREAT', key, int(budget.endsAt + 3 * 86400000))
    kept.budgets[i] = budget.name
  end
  if model.concurrency then
    redis.call('ZADD', p .. 'busy:' .. model.profile, epoch, id)
    kept.busy = true
  end
  if rate then
    redis.call('ZADD', p .. 'rate:model:' .. model.profile, now, nonce)
    redis.call('PEXPIRE', p .. 'rate:model:' .. model.profile, 60000)
  end
  if model.tokensPerMinute then
    kept.slot = int(math.floor(now / SLOT))
    redis.call('HINCRBY', p .. 'tpm:' .. model.profile, kept.slot, int(reserve.tokens))
    redis.call('PEXPIRE', p .. 'tpm:' .. model.profile, 80000)
  end
  for _, key in ipairs(probed) do
    local why = redis.call('HGET', p .. 'cool:' .. key, 'why')
    -- Nobody else asks until it is known what this one finds.
    if why ~= 'rate-limit' then redis.call('HSET', p .. 'cool:' .. key, 'until', int(now + 60000)) end
  end
  -- Where nothing limits it, nothing is to be given back.
  if kept.budgets[1] or kept.cool[1] or kept.busy or kept.slot then redis.call('HSET', run, 'kept', cjson.encode(kept)) end
end
`;
