import { SHARED } from "./shared.ts";

/**
 * A person's word on a call that needs it. ARGV 3 run id · 4 the approval's id · 5 the call · 6 the decision as evidence, JSON
 * · 7 the gate where the run waits for it → { 'ok', at, tickets… } · { 'was', the decision as it stands } · { 'gone' }
 *   · { 'over' }: its time is over, the run has ended, or another approval of this call was asked for since
 * First write wins.
 */
export const DECIDE: string = `${SHARED}
local id, asked, call, gate = ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local run = p .. 'run:' .. id
local h = redis.call('HMGET', run, 'status', 'place', 'gate', 'ask:' .. call)
if not h[1] then
  redis.call('ZREM', p .. 'approvals', id .. ' ' .. asked)
  return { 'gone' }
end
local field = 'approval:' .. asked
local was = redis.call('HGET', run .. ':e', field)
if was then return { 'was', was } end
local current, _, before = string.match(h[4] or '', '^(%S+) (%S+) (%d+)$')
if final(h[1]) or current ~= asked or now >= tonumber(before) then return { 'over' } end
redis.call('HSET', run .. ':e', field, int(now) .. '\\n' .. ARGV[6])
redis.call('ZREM', p .. 'approvals', id .. ' ' .. asked)
if h[2] == 'gate' and h[3] == gate then goOn(id, run, gate) end
announce(id)
return { 'ok', int(now), unpack(made) }
`;
