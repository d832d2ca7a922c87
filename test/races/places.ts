/** A run stands in one place, and every index says so: after each step of anybody. */
import { accountGate } from "../../src/core/gate.ts";
import { Broken } from "./broken.ts";
import { USER, type World } from "./world.ts";

/** ARGV 1 prefix · 2 cap · 3 how many gates · 4… gates, then runs → what is wrong, or '' */
const PLACES = `
local p, cap, gates, runs = ARGV[1], tonumber(ARGV[2]), {}, {}
for i = 4, #ARGV do table.insert(i < 4 + tonumber(ARGV[3]) and gates or runs, ARGV[i]) end
local final = { completed = true, failed = true, cancelled = true, expired = true }
local wrong
local function expect(who, what, there, should)
  if (there and true or false) ~= should then wrong = who .. ' ' .. (should and 'is not' or 'is') .. ' ' .. what end
end
local function score(key, member) return redis.call('ZSCORE', p .. key, member) end

-- → at how many of the gates it waits
local function waiting(id)
  local at = 0
  for _, gate in ipairs(gates) do
    if score('gate:' .. gate .. ':w', id) then
      at = at + 1
      local connection = string.match(gate, '[^/]*$')
      expect(id, 'among those who need ' .. gate, score('auth:' .. gate .. ':n', id), true)
      expect(gate, 'in the rounds', score('sweep:' .. connection, gate), true)
      expect(connection, 'among the next looks', score('looks', 'sweep:' .. connection), true)
    end
  end
  return at
end

for _, id in ipairs(runs) do
  local status, place, line, lease = unpack(redis.call('HMGET', p .. 'run:' .. id, 'status', 'place', 'line', 'lease'))
  expect(id, 'in the line', score('line:' .. line, id), place == 'line')
  expect(id, 'in a slot', score('live:' .. line, id), place == 'live')
  expect(id, 'among the next looks', score('looks', 'run:' .. id), place == 'live' or place == 'gate' or place == 'moment')
  expect(id, 'ended', final[status], place == 'none')
  expect(id, 'parked', status == 'parked', place == 'gate' or place == 'moment')
  expect(id, 'at a gate', waiting(id) > 0, place == 'gate')
  if place == 'gate' then expect(id, 'held by a worker', tonumber(lease) > 0, false) end
  for _, gate in ipairs(final[status] and gates or {}) do
    expect(id, 'ended, but among those who need ' .. gate, score('auth:' .. gate .. ':n', id), false)
  end
  -- Whoever ends a cancelled run claims it from wherever it is, for as long as that takes.
  local live = 0
  for _, other in ipairs(redis.call('ZRANGE', p .. 'live:' .. line, 0, -1)) do
    if not redis.call('HGET', p .. 'run:' .. other, 'cancel') then live = live + 1 end
  end
  if live > cap then wrong = 'more than ' .. cap .. ' runs have a slot' end
end
return wrong or ''
`;

/** @throws Broken */
export async function checkPlaces({ redis, store, runs, cap, connections }: World): Promise<void> {
  const gates = connections.map((connection) => accountGate(USER, connection));
  const wrong = String(await redis.eval(PLACES, 0, store.prefix, cap, gates.length, ...gates, ...runs));
  if (wrong !== "") throw new Broken(wrong);
}
