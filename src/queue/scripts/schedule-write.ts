import { CREATE_RUN } from "./create.ts";
import { SCHEDULE } from "./schedule-shared.ts";

/**
 * The only way a schedule changes, ticks among it: in one step, runs are created and what became of each time is written down. So a time
 * is never half accounted for, whoever dies. A change is of what its author has read, or nothing happens.
 *
 * ARGV 3 id · 4 rev that was read, or '' for a new one · 5 new rev, a nonce · 6 JSON: { seen, set, del, due, keep, history, most, giveWay,
 *      cancel, into, agent, was, identifier } · 7… runs to create, each as a JSON list: where its window begins, then what CREATE is given
 * → { 'ok', Redis ms, runs, tickets… } · { 'changed' } somebody was faster, or a run has moved · { 'gone' }
 *   · { 'refused', why, what } no run could be created; nothing of the schedule is written
 *   · { 'full', whose, how many } so many of them may be created by a budget, and none was; nothing is written
 */
export const SCHEDULE_WRITE: string = `${CREATE_RUN}${SCHEDULE}
local id, expected, rev, w = ARGV[3], ARGV[4], ARGV[5], cjson.decode(ARGV[6])
local key = p .. 'schedule:' .. id
local h = redis.call('HMGET', key, 'rev', 'runs', 'agent')
if h[1] == rev then return { 'ok', int(now), '' } end
if (h[1] or '') ~= expected then return { h[1] and 'changed' or 'gone' } end
if expected ~= '' and standing(h[2]) ~= w.seen then return { 'changed' } end

-- All are of one identifier.
local given, most, whose = ARGV[7] and cjson.decode(ARGV[7]), #ARGV - 6, nil
local is, used
-- One that is there already takes no room.
local known = #ARGV == 7 and given[9] ~= '' and redis.call('GET', p .. 'idem:' .. given[9])
if known and redis.call('EXISTS', p .. 'run:' .. string.match(known, '^%S+')) == 1 then most = 0 end
for _, bound in ipairs(given and given[15] and cjson.decode(given[15]) or {}) do
  local there = tonumber(redis.call('HGET', p .. 'spend:' .. bound.day, 'runs')) or 0
  local left, over = bound.runs and bound.runs - there, 'runs'
  local parked = bound.parked and redis.call('SCARD', p .. 'parked:' .. bound.whose)
  if parked and parked >= bound.parked then left, over, there = 0, 'parked', parked end
  if left and left < most then most, whose, is, used = math.max(0, left), bound.whose, over, there end
end
if whose then return { 'full', whose, most, is, int(used) } end

local ids, again, runs = {}, {}, w.keep ~= '' and { w.keep } or {}
for i = 7, #ARGV do
  local given = cjson.decode(ARGV[i])
  local args = { p, '' }
  for at = 2, #given do args[at + 1] = given[at] end
  local answer = create(args, i == 7 and w.giveWay or nil)
  -- 'conflict': an earlier tick of the same time made it, with another input.
  if answer[1] ~= 'ok' and answer[1] ~= 'same' and answer[1] ~= 'conflict' then return { 'refused', answer[1], answer[2] or '' } end
  ids[i - 6], again[i - 6] = answer[2], answer[1] ~= 'ok'
  redis.call('HSET', p .. 'run:' .. answer[2], 'schedule', id)
  if not string.find(' ' .. w.keep, ' ' .. answer[2] .. ':', 1, true) then runs[#runs + 1] = answer[2] .. ':' .. given[1] end
end
for _, run in ipairs(w.cancel) do
  local other = p .. 'run:' .. run
  local at = redis.call('HMGET', other, 'status', 'place', 'gate')
  if at[1] and not final(at[1]) then
    redis.call('HSET', other, 'cancel', '1')
    if at[2] == 'gate' then leaveGates(run, other, at[3]) end
    if at[2] == 'gate' or at[2] == 'moment' then toLine(run, other) end
    announce(run)
  end
end

local history = key .. ':h'
if #w.giveWay > 0 then
  local gone = {}
  for _, run in ipairs(w.giveWay) do gone[run] = true end
  for at, text in ipairs(redis.call('LRANGE', history, 0, -1)) do
    local line = cjson.decode(text)
    if line.outcome == 'enqueued' and gone[line.run] then
      line.run, line.outcome, line.into = nil, 'coalesced', w.into
      redis.call('LSET', history, at - 1, cjson.encode(line))
    end
  end
end
for _, line in ipairs(w.history) do
  -- Whoever triggers again with one key is given the run of the first time, whose line stands.
  if line.outcome ~= 'triggered' or not again[line.make] then
    if line.make then line.run, line.make = ids[line.make], nil end
    line.at = now
    redis.call('RPUSH', history, cjson.encode(line))
  end
end
if #w.history > 0 or w.agent then redis.call('LTRIM', history, -w.most, -1) end

local fields = { 'rev', rev, 'runs', table.concat(runs, ' '), 'updated', int(now) }
for field, value in pairs(w.set) do
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end
redis.call('HSET', key, unpack(fields))
if expected == '' then redis.call('HSET', key, 'created', int(now)) end
if #w.del > 0 then redis.call('HDEL', key, unpack(w.del)) end
if w.due == '' then redis.call('ZREM', due, id) else redis.call('ZADD', due, w.due, id) end
if w.agent and w.agent ~= h[3] then
  if h[3] then redis.call('ZREM', p .. 'schedules:agent:' .. h[3], id) end
  for _, index in ipairs({ '', ':agent:' .. w.agent, ':identifier:' .. w.identifier }) do
    redis.call('ZADD', p .. 'schedules' .. index, 0, id)
  end
end
return { 'ok', int(now), table.concat(ids, ' '), unpack(made) }
`;
