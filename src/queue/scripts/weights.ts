import { SHARED } from "./shared.ts";

/** ARGV 3 'tenant:<name>' or 'identifier:<id>' · 4 turns in each round from now on → { as many as before } */
export const WEIGH: string = `${SHARED}
local name, weight = ARGV[3], ARGV[4]
local was = redis.call('HGET', p .. 'weights', name) or '1'
if weight ~= '1' then
  redis.call('HSET', p .. 'weights', name, weight)
  return { was }
end
redis.call('HDEL', p .. 'weights', name)
local kind, whose = string.match(name, '^(%a+):(.*)$')
if kind == 'tenant' then
  redis.call('HDEL', p .. 'used', 't:' .. whose)
else
  for _, node in ipairs(nodesOf(whose)) do redis.call('HDEL', p .. 'used', node) end
end
return { was }
`;
