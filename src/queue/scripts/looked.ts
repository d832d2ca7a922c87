import { BASE } from "./shared.ts";

/** Accounts that were just seen, and are not ACTIVE. ARGV 3… gate and reason of each → { how many of them are needed } */
export const LOOKED: string = `${BASE}
local needed = 0
for i = 3, #ARGV, 2 do
  local record = p .. 'auth:' .. ARGV[i]
  if redis.call('EXISTS', record) == 1 then
    redis.call('HSET', record, 'reason', ARGV[i + 1], 'looked', int(now))
    needed = needed + 1
  end
end
return { needed }
`;
