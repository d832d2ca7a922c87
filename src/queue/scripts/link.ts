/**
 * One link per user, connection and return address, made by one caller at a time. KEYS[1] is only for routing, ARGV[1] the prefix.
 * Times are wall-clock ms of the caller: a link's expiry is Scalekit's wall clock, too.
 *
 *   link:<scope>:<gate>  hash  `claim`, `claimed` (until): somebody makes a link. `url`, `state`, `until`, `left`, `given`: there is one
 *   auth:<gate>          hash  of an account that runs need (needs.ts), also what became of its last link, and never the link itself:
 *                              `link-made`, `link-given` (last, to the user's browser), `link-ends`, `link-back` (the user came back)
 *   state:<hash>         hash  `identifier`, `connection`, `expires`, `link` (its key's name), `by` (who has used it up)
 */

/** Notes it for whoever asks why a run still waits. Nobody needs the account: nothing is noted. */
const NOTE = `
local function note(link, ...)
  local record = ARGV[1] .. 'auth:' .. string.match(link, '^[^:]*:(.*)$')
  if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, ...) end
end
`;

/**
 * ARGV 3 link · 4 nonce · 5 now · 6 ms that a claim lasts · 7 ms within which clicks count as one
 * → { 'link', url } · { 'make' } · { 'busy' }
 */
export const LINK_BEGIN: string = `${NOTE}
local link, nonce, now, lasts = ARGV[1] .. 'link:' .. ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local h = redis.call('HMGET', link, 'url', 'state', 'until', 'left', 'claim', 'claimed', 'given')
local again = h[7] and now - tonumber(h[7]) > tonumber(ARGV[7])
if h[1] and now < tonumber(h[3]) and (not again or tonumber(h[4]) > 0) then
  local state = redis.call('HMGET', ARGV[1] .. 'state:' .. h[2], 'identifier', 'by')
  if state[1] and not state[2] then
    if again then
      redis.call('HINCRBY', link, 'left', -1)
      redis.call('HSET', link, 'given', ARGV[5])
      note(ARGV[3], 'link-given', ARGV[5])
    end
    return { 'link', h[1] }
  end
end
if h[5] and h[5] ~= nonce and now < tonumber(h[6]) then return { 'busy' } end
redis.call('DEL', link)
redis.call('HSET', link, 'claim', nonce, 'claimed', string.format('%.0f', now + lasts))
redis.call('PEXPIRE', link, lasts)
return { 'make' }
`;

/** ARGV 3 link · 4 state hash · 5 identifier · 6 connection · 7 url · 8 expires · 9 ms until then · 10 until · 11 ms until then · 12 how often again · 13 now */
export const LINK_KEEP: string = `${NOTE}
local link, state = ARGV[1] .. 'link:' .. ARGV[3], ARGV[1] .. 'state:' .. ARGV[4]
redis.call('HSET', state, 'identifier', ARGV[5], 'connection', ARGV[6], 'expires', ARGV[8], 'link', ARGV[3])
redis.call('PEXPIRE', state, ARGV[9])
redis.call('DEL', link)
redis.call('HSET', link, 'url', ARGV[7], 'state', ARGV[4], 'until', ARGV[10], 'left', ARGV[12], 'given', ARGV[13])
redis.call('PEXPIRE', link, ARGV[11])
note(ARGV[3], 'link-made', ARGV[13], 'link-given', ARGV[13], 'link-ends', ARGV[8], 'link-back', '')
return { 'ok' }
`;

/** ARGV 3 link · 4 nonce */
export const LINK_GIVE_UP = `
local link = ARGV[1] .. 'link:' .. ARGV[3]
if redis.call('HGET', link, 'claim') == ARGV[4] then redis.call('DEL', link) end
return { 'ok' }
`;

/** ARGV 3 state hash · 4 nonce · 5 now → { 'fresh' or 'used', identifier, connection } · { 'none' } */
export const STATE_TAKE: string = `${NOTE}
local state = ARGV[1] .. 'state:' .. ARGV[3]
local h = redis.call('HMGET', state, 'identifier', 'connection', 'expires', 'link', 'by')
if not h[1] or tonumber(h[3]) <= tonumber(ARGV[5]) then return { 'none' } end
if h[5] and h[5] ~= ARGV[4] then return { 'used', h[1], h[2] } end
redis.call('HSET', state, 'by', ARGV[4])
note(h[4], 'link-back', ARGV[5])
local link = ARGV[1] .. 'link:' .. h[4]
if redis.call('HGET', link, 'state') == ARGV[3] then redis.call('DEL', link) end
return { 'fresh', h[1], h[2] }
`;
