import { NEEDS } from "./needs.ts";
import { SHARED } from "./shared.ts";

/** An operator asks for reminders. ARGV 3 nonce · 4… gates → { how many of them are needed }. Those that are due by time stay. */
export const REMIND: string = `${SHARED}${NEEDS}
local gates, needed = {}, 0
for i = 4, #ARGV do
  local h = redis.call('HMGET', p .. 'auth:' .. ARGV[i], 'since', 'asked')
  if h[1] then
    needed = needed + 1
    if h[2] ~= ARGV[3] then
      redis.call('HSET', p .. 'auth:' .. ARGV[i], 'asked', ARGV[3])
      gates[#gates + 1] = ARGV[i]
    end
  end
end
remind(gates, '1')
return { int(needed) }
`;
