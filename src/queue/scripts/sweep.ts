import { MOST_ROUNDS_APART, STEADY_MS } from "../../core/sweep.ts";
import { SHARED } from "./shared.ts";

/**
 * The gates of a connection that are in this round. ARGV 3 connection · 4 how many at most · 5 the round's moment, or '' to begin it
 * → { the round's moment, how many were read: fewer than asked for are the last, gates… }
 *
 * Each is in a later round again ('roundsApart'), half a round early so that no round is missed by a moment. A gate that nobody waits
 * at leaves, and the last one takes the rounds with it.
 */
export const SWEEP: string = `${SHARED}
local connection, round = ARGV[3], tonumber(ARGV[5]) or now
local key = p .. 'sweep:' .. connection
local due = redis.call('ZRANGEBYSCORE', key, '-inf', round, 'LIMIT', 0, tonumber(ARGV[4]))
local gates = {}
for _, name in ipairs(due) do
  local gate = p .. 'gate:' .. name
  if redis.call('ZCARD', gate .. ':w') == 0 then
    redis.call('ZREM', key, name)
  else
    local waited = now - (tonumber(redis.call('HGET', gate, 'parked')) or now)
    local apart = math.min(${MOST_ROUNDS_APART}, 1 + math.max(0, math.floor(waited / ${STEADY_MS})))
    redis.call('ZADD', key, math.max(round + 1, now + (apart - 0.5) * o.sweep), name)
    gates[#gates + 1] = name
  end
end
if redis.call('ZCARD', key) == 0 then redis.call('ZREM', p .. 'looks', 'sweep:' .. connection) end
return { int(round), #due, unpack(gates) }
`;
