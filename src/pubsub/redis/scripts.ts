import { TAG_BYTES } from '../remote/message-frame.js'

// What has to be done in one step, for Redis 6.2 and later. Each room has a log (a stream whose ids are offsets), the
// sizes of what is in it (a list), where it stands (a hash), and its members (a hash).

export interface Script {
  readonly name: string
  readonly keys: number
  readonly text: string
}

/**
 * Where a room stands. `run` is the run of the server: behind a restart, or at a replica that took over, the last messages
 * may be missing, so that offsets count in a new epoch. Positions of an epoch before it are good up to where it ended.
 */
const STAND = `
local function stand(log, sizes, meta, run, fresh)
  local m = redis.call('HMGET', meta, 'run', 'epoch', 'offset', 'bytes', 'ms', 'past')
  if m[1] == run then return m[2], tonumber(m[3]), tonumber(m[4]), tonumber(m[5]), m[6] end
  local offset, bytes, ms, past = 0, 0, 0, ''
  if m[1] then
    offset, bytes, ms = tonumber(m[3]), tonumber(m[4]), tonumber(m[5])
    past = string.sub(m[2] .. '=' .. m[3] .. ' ' .. m[6], 1, 1024)
  else
    redis.call('DEL', log, sizes)
  end
  redis.call('HSET', meta, 'run', run, 'epoch', fresh, 'offset', offset, 'bytes', bytes, 'ms', ms, 'past', past)
  return fresh, offset, bytes, ms, past
end
local function keep(ttl, ...)
  if ttl < 0 then return end
  for _, key in ipairs({...}) do
    if redis.call('PTTL', key) < ttl / 2 then redis.call('PEXPIRE', key, ttl) end
  end
end
local function millis()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function whole(n) return string.format('%.0f', n) end
`

/** Keys: log, sizes, meta. Arguments: run, fresh epoch, ttl, channel, tag (empty the first time), frame, cost, most, most bytes. */
const APPEND: Script = {
  name: 'append',
  keys: 3,
  text: `${STAND}
local log, sizes, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch, offset, bytes, last = stand(log, sizes, meta, ARGV[1], ARGV[2])
if ARGV[5] ~= '' then
  local upto = '+'
  while true do
    local entries = redis.call('XREVRANGE', log, upto, '-', 'COUNT', 64)
    for _, entry in ipairs(entries) do
      if string.sub(entry[2][2], 2, ${1 + TAG_BYTES}) == ARGV[5] then
        return {epoch, tonumber(string.match(entry[1], '^%d+'))}
      end
      upto = '(' .. entry[1]
    end
    if #entries < 64 then break end
  end
end
local cost, most, mostBytes = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local ms = math.max(last, millis())
offset = offset + 1
local written = whole(offset)
redis.call('XADD', log, written .. '-0', 'm', ARGV[6], 't', whole(ms))
redis.call('RPUSH', sizes, cost)
bytes = bytes + cost
local count = redis.call('XLEN', log)
local kept = count
while kept > 0 and (kept > most or bytes > mostBytes) do
  bytes = bytes - (tonumber(redis.call('LPOP', sizes)) or 0)
  kept = kept - 1
end
if kept < count then redis.call('XTRIM', log, 'MAXLEN', kept) end
redis.call('HSET', meta, 'offset', written, 'bytes', whole(bytes), 'ms', whole(ms))
keep(tonumber(ARGV[3]), log, sizes, meta)
redis.call('PUBLISH', ARGV[4], 'm' .. epoch .. ' ' .. written .. ' ' .. whole(ms) .. ' ' .. ARGV[6])
return {epoch, offset}
`,
}

/** Keys: log, sizes, meta. Arguments: run, fresh epoch, ttl, epoch and offset to read behind (or empty), most (-1: all). */
const READ: Script = {
  name: 'read',
  keys: 3,
  text: `${STAND}
local log, sizes, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch, head, _, _, past = stand(log, sizes, meta, ARGV[1], ARGV[2])
keep(tonumber(ARGV[3]), log, sizes, meta)
local back = head - redis.call('XLEN', log)
local most = tonumber(ARGV[6])
local from, torn = back, 0
if ARGV[4] ~= '' then
  local offset = tonumber(ARGV[5])
  local known = ARGV[4] == epoch and offset <= head
  for name, ended in string.gmatch(past, '(%S+)=(%d+) ') do
    if name == ARGV[4] then
      known = offset <= tonumber(ended)
      if not known then from = math.max(back, tonumber(ended)) end
    end
  end
  if known and offset >= back then from = offset else torn = 1 end
elseif most >= 0 then
  from = math.max(back, head - most)
end
local entries = {}
if most ~= 0 and from < head then
  local start = '(' .. whole(from) .. '-0'
  if most < 0 then entries = redis.call('XRANGE', log, start, '+')
  else entries = redis.call('XRANGE', log, start, '+', 'COUNT', most) end
end
return {epoch, head, torn, from, entries}
`,
}

/** Members are JSON: o when they came, u whether they want to be the only one, d what they show (JSON), e who has entered them. */
const MEMBERS = `
local function millis()
  local t = redis.call('TIME')
  return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
local function tell(channel, kind, id, d)
  redis.call('PUBLISH', channel, 'p' .. millis() .. ' ' .. kind .. ' ' .. cjson.encode({id = id, d = d}))
end
local function remove(members, rooms, room, channel, id, isTheirs)
  local text = redis.call('HGET', members, id)
  if not text then return 0 end
  local member = cjson.decode(text)
  local left, gone = {}, 0
  for _, who in ipairs(member.e) do
    if isTheirs(who) then gone = gone + 1 else left[#left + 1] = who end
  end
  if gone == 0 then return 0 end
  if #left > 0 then
    member.e = left
    redis.call('HSET', members, id, cjson.encode(member))
    return gone
  end
  redis.call('HDEL', members, id)
  local count = redis.call('HLEN', members)
  if count > 0 then redis.call('HSET', rooms, room, count) else redis.call('HDEL', rooms, room) end
  tell(channel, 'leave', id, member.d)
  return gone
end
local function removeAll(prefix, broker)
  local mine = prefix .. ':broker:' .. broker
  local rooms = prefix .. ':rooms'
  local start = broker .. '/'
  local function isTheirs(who) return string.sub(who, 1, #start) == start end
  for _, room in ipairs(redis.call('HKEYS', mine)) do
    local members = prefix .. ':members:' .. room
    for _, id in ipairs(redis.call('HKEYS', members)) do
      remove(members, rooms, room, prefix .. ':room:' .. room, id, isTheirs)
    end
  end
  redis.call('DEL', mine)
  redis.call('ZREM', prefix .. ':brokers', broker)
end
`

/** Keys: members, rooms, mine. Arguments: room, channel, id, who, data (JSON or empty), unique, most members. */
const ENTER: Script = {
  name: 'enter',
  keys: 3,
  text: `${MEMBERS}
local members, rooms, mine = KEYS[1], KEYS[2], KEYS[3]
local room, channel, id, who, data, unique = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6] == '1'
local text = redis.call('HGET', members, id)
if not text then
  local count = redis.call('HLEN', members)
  if count >= tonumber(ARGV[7]) then return 'full' end
  local t = redis.call('TIME')
  local member = {o = t[1] .. string.format('%06d', t[2]), u = unique, e = {who}}
  if data ~= '' then member.d = data end
  redis.call('HSET', members, id, cjson.encode(member))
  redis.call('HSET', rooms, room, count + 1)
  redis.call('HINCRBY', mine, room, 1)
  tell(channel, 'join', id, member.d)
  return 'entered'
end
local member = cjson.decode(text)
for _, other in ipairs(member.e) do
  if other == who then return 'entered' end
end
if unique or member.u then return 'taken' end
member.e[#member.e + 1] = who
local isNew = data ~= '' and data ~= member.d
if isNew then member.d = data end
redis.call('HSET', members, id, cjson.encode(member))
redis.call('HINCRBY', mine, room, 1)
if isNew then tell(channel, 'update', id, data) end
return 'entered'
`,
}

/** Keys: members. Arguments: channel, id, who, data (JSON or empty). */
const UPDATE: Script = {
  name: 'update',
  keys: 1,
  text: `${MEMBERS}
local text = redis.call('HGET', KEYS[1], ARGV[2])
if not text then return 0 end
local member = cjson.decode(text)
local isTheirs = false
for _, who in ipairs(member.e) do isTheirs = isTheirs or who == ARGV[3] end
local data = ARGV[4]
if data == '' then data = nil end
if not isTheirs or member.d == data then return 0 end
member.d = data
redis.call('HSET', KEYS[1], ARGV[2], cjson.encode(member))
tell(ARGV[1], 'update', ARGV[2], data)
return 1
`,
}

/** Keys: members, rooms, mine. Arguments: room, channel, id, who. */
const LEAVE: Script = {
  name: 'leave',
  keys: 3,
  text: `${MEMBERS}
local room, channel, id, who = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local gone = remove(KEYS[1], KEYS[2], room, channel, id, function(other) return other == who end)
if gone > 0 and redis.call('HINCRBY', KEYS[3], room, -gone) <= 0 then redis.call('HDEL', KEYS[3], room) end
return gone
`,
}

/**
 * Keys: brokers. Arguments: prefix, broker, lease. Says that a broker lives; the members of those that have not said so in
 * time leave. 0 when it was itself taken for dead: its members have left.
 */
const BEAT: Script = {
  name: 'beat',
  keys: 1,
  text: `${MEMBERS}
local prefix, broker = ARGV[1], ARGV[2]
local now = tonumber(millis())
local known = redis.call('ZSCORE', KEYS[1], broker)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), broker)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now, 'LIMIT', 0, 16)) do
  removeAll(prefix, dead)
end
if known then return 1 end
return 0
`,
}

/** Arguments: prefix, broker. */
const BYE: Script = {
  name: 'bye',
  keys: 0,
  text: `${MEMBERS}
removeAll(ARGV[1], ARGV[2])
return 1
`,
}

/** Keys: a value. Arguments: bytes, ttl, the version that is expected (`*` for any), its own. Nothing when it is another one. */
const SET: Script = {
  name: 'set',
  keys: 1,
  text: `
local version = redis.call('HGET', KEYS[1], 'v') or ''
if version == ARGV[4] then return version end
if ARGV[3] ~= '*' and version ~= ARGV[3] then return false end
redis.call('HSET', KEYS[1], 'v', ARGV[4], 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return ARGV[4]
`,
}

/**
 * Keys: what a key of a limiter has used. Arguments: milliseconds that one costs, burst, cost. Returns whether it is
 * allowed, when all that was taken is used up, and now.
 */
const TAKE: Script = {
  name: 'take',
  keys: 1,
  text: `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local before = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local behind = before + each * cost
local allowed = behind - now <= each * (burst + 0.01)
if not allowed then return {0, string.format('%.3f', before), string.format('%.3f', now)} end
local written = string.format('%.3f', behind)
redis.call('SET', KEYS[1], written, 'PX', math.max(1, math.ceil(behind - now)))
return {1, written, string.format('%.3f', now)}
`,
}

/** Keys: any. Arguments: ttl. */
const TOUCH: Script = {
  name: 'touch',
  keys: -1,
  text: `
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return #KEYS
`,
}

export const SCRIPTS: Readonly<
  Record<'append' | 'read' | 'enter' | 'update' | 'leave' | 'beat' | 'bye' | 'set' | 'take' | 'touch', Script>
> = {
  append: APPEND,
  read: READ,
  enter: ENTER,
  update: UPDATE,
  leave: LEAVE,
  beat: BEAT,
  bye: BYE,
  set: SET,
  take: TAKE,
  touch: TOUCH,
}
