import { SHARED } from "./shared.ts";

/**
 * Lua: what goes on when a switch is on again. Runs that met it wait at its gate; lines and nodes that did not go because of it are
 * named in its set. In slices, resumable from any point: due.ts goes on where a caller has died.
 */
export const GO_ON = `
-- → whether there is more to do
local function goOnAfter(switch, most)
  local stopped, gate = p .. 'stopped:' .. switch, p .. 'gate:switch/' .. switch
  for _, entry in ipairs(redis.call('SPOP', stopped, most)) do
    local parent, child = string.match(entry, '^(.-)\\t(.*)$')
    stand(parent, child)
    if parent ~= 'all' then standUp(parent) end
  end
  local version = redis.call('HGET', gate, 'version') or '0'
  many = {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', gate .. ':w', '-inf', '(' .. version, 'LIMIT', 0, most)) do
    local run = p .. 'run:' .. id
    put('ZREM', gate .. ':w', id)
    if redis.call('HGET', run, 'place') == 'gate' then
      toLine(id, run)
      announce(id)
    end
  end
  standEntered()
  return redis.call('EXISTS', stopped) == 1 or redis.call('ZCOUNT', gate .. ':w', '-inf', '(' .. version) > 0
end
`;

/** Stops it, at once: no intent that is committed from now on begins anything of it. ARGV 3 switch · 4 who, why, when as JSON → { what it said before, or '' } */
export const PAUSE: string = `${SHARED}
local was = redis.call('HGET', p .. 'switches', ARGV[3])
redis.call('HSET', p .. 'switches', ARGV[3], ARGV[4])
return { was or '' }
`;

/** ARGV 3 switch · 4 how many at most, of each kind · 5 '1' for the first slice → { what it said, or '', '1' if there is more, tickets… } */
export const RESUME: string = `${SHARED}${GO_ON}
local switch, gate = ARGV[3], p .. 'gate:switch/' .. ARGV[3]
local was = ''
if ARGV[5] == '1' then
  was = redis.call('HGET', p .. 'switches', switch) or ''
  redis.call('HDEL', p .. 'switches', switch)
  isSwitched = nil
  redis.call('HSET', gate, 'version', int(raise(redis.call('HGET', gate, 'version'))))
  -- Whoever wakes goes on where this caller may stop.
  redis.call('ZADD', p .. 'looks', now + 1000, 'resume:' .. switch)
elseif isOff(switch) then
  return { '', '' }
end
local more = goOnAfter(switch, tonumber(ARGV[4]))
if not more then redis.call('ZREM', p .. 'looks', 'resume:' .. switch) end
return { was, more and '1' or '', unpack(made) }
`;
