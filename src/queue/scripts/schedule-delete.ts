import { SCHEDULE } from "./schedule-shared.ts";
import { SHARED } from "./shared.ts";

/** ARGV 3… ids → for each "1 <runs that have not ended>", or '' when it is not there. Nothing of it is left but the runs it made. */
export const SCHEDULE_DELETE: string = `${SHARED}${SCHEDULE}
local deleted = {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local key = p .. 'schedule:' .. id
  local h = redis.call('HMGET', key, 'agent', 'identifier', 'runs')
  deleted[i - 2] = ''
  if h[1] then
    local runs = {}
    for run in string.gmatch(h[3] or '', '([^%s:]+):%d+') do runs[#runs + 1] = run end
    deleted[i - 2] = '1 ' .. table.concat(runs, ' ')
    for _, index in ipairs({ '', ':agent:' .. h[1], ':identifier:' .. h[2], ':due' }) do redis.call('ZREM', p .. 'schedules' .. index, id) end
    redis.call('DEL', key, key .. ':h')
  end
end
return deleted
`;
