import { NEEDS } from "./needs.ts";
import { GO_ON } from "./switches.ts";
import { SHARED } from "./shared.ts";

/** ms; longer than any look takes. */
const FORGET_MS = 15 * 60_000;

/**
 * The net: what is due to be looked at. ARGV 3 how many at most
 * → { ms until the next look or '', connections whose round is due, gates that somebody asked to look at, tickets… }
 *   the connections and the gates each as one space-separated text
 *
 * A live run whose lease ended gets a new ticket; one that was never taken gets the same ticket again. A run at a moment, or at
 * a gate until its expiry, goes back to its line. A round is handed to one caller, who sweeps it (sweep.ts); it stands here again in
 * case the caller dies. So all gates of a connection come due together, and one listing of its accounts serves them all.
 *
 * A gate that a webhook asked to look at (ask.ts) is handed out once; its rounds are the net. If nobody waits there, a run may be about
 * to park that has looked at the account before: a new version makes it look again.
 *
 * A reminder that is due is told once; those that were due as well by now, while nobody woke, are left out.
 */
export const DUE: string = `${SHARED}${NEEDS}${GO_ON}
local looks = p .. 'looks'
local rounds, asked, reminders = {}, {}, {}
local function ask(name)
  local gate = p .. 'gate:' .. name
  if redis.call('ZCARD', gate .. ':w') > 0 then
    asked[#asked + 1] = name
    return
  end
  local last = redis.call('HGET', gate, 'version')
  redis.call('HSET', gate, 'version', int(raise(last)))
  -- Most accounts that webhooks tell of have no runs: their gates do not stay.
  if not last then redis.call('PEXPIRE', gate, ${FORGET_MS}) end
end
local function look(id)
  local run = p .. 'run:' .. id
  local h = redis.call('HMGET', run, 'status', 'place', 'lease', 'ticket', 'queue', 'agent', 'gate')
  local place, lease = h[2], tonumber(h[3]) or 0
  if not h[1] or final(h[1]) or place == 'line' then
    redis.call('ZREM', looks, 'run:' .. id)
  elseif place == 'live' and lease > now then
    redis.call('ZADD', looks, lease, 'run:' .. id)
  elseif place == 'live' then
    local number = tonumber(h[4])
    if lease > 0 then
      number = raise(number)
      redis.call('HSET', run, 'ticket', int(number), 'lease', '0')
    end
    redis.call('ZADD', looks, now + o.grace, 'run:' .. id)
    ticket(id, number, h[5], h[6])
  else
    if place == 'gate' then leaveGates(id, run, h[7]) end
    -- One that waited for a switch for too long ends, whatever is still stopped.
    toLine(id, run, string.sub(h[7] or '', 1, 7) == 'switch/')
    announce(id)
  end
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', looks, '-inf', now, 'LIMIT', 0, tonumber(ARGV[3]))) do
  local kind, name = string.match(member, '^(%a+):(.*)$')
  if kind == 'run' then
    look(name)
  elseif kind == 'gate' then
    redis.call('ZREM', looks, member)
    ask(name)
  elseif kind == 'remind' then
    if dueAgain(name) then reminders[#reminders + 1] = name end
  elseif kind == 'resume' then
    if isOff(name) or not goOnAfter(name, 100) then redis.call('ZREM', looks, member) end
  elseif kind ~= 'sweep' or redis.call('ZCARD', p .. member) == 0 then
    redis.call('ZREM', looks, member)
  else
    redis.call('ZADD', looks, now + o.sweep, member)
    rounds[#rounds + 1] = name
  end
end
remind(reminders, '')
-- Runs that have expired leave the lists.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', p .. 'runs:ended', '-inf', now, 'LIMIT', 0, tonumber(ARGV[3]))) do
  local id, status, agent, identifier = string.match(member, '^(%S+) (%S+) (%S+) (%S+)$')
  for _, index in ipairs({ 'all', 'status:' .. status, 'agent:' .. agent, 'identifier:' .. identifier }) do
    redis.call('ZREM', p .. 'runs:' .. index, id)
  end
  redis.call('ZREM', p .. 'runs:ended', member)
end
-- A slot of a run that stands elsewhere: an older Errand let it go, which does not know of this list.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', p .. 'busy:all', '-inf', now - 60000, 'LIMIT', 0, 5)) do
  local h = redis.call('HMGET', p .. 'run:' .. id, 'place', 'line', 'node')
  if h[1] == 'live' then redis.call('ZADD', p .. 'busy:all', now, id)
  elseif h[3] then unseat(id, h[2], h[3])
  else redis.call('ZREM', p .. 'busy:all', id) end
end
fill()
local soonest = redis.call("ZRANGE", looks, 0, 0, "WITHSCORES")
return { soonest[2] and int(math.max(0, tonumber(soonest[2]) - now)) or '', table.concat(rounds, ' '), table.concat(asked, ' '), unpack(made) }
`;
