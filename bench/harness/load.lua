-- The requests of wrk: the same request with a different token each time.
--
-- Arguments: a file with the request up to the token, one with the rest of it, a file of tokens ("-" for none),
-- "cycle" or "once", and the numbers of the first and the last token, counted from 1.
--
-- With "once" no token is sent twice: after the last one, the line "exhausted" is printed and counting stops. The line
-- "begun" is printed with the first request, because reading many tokens takes time. The result is a line of JSON.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local before, after, tokens, once
local at, last, is_rehearsed, has_begun

function init(args)
  before, after, once = contents(args[1]), contents(args[2]), args[4] == "once"
  local first
  first, last = tonumber(args[5]), tonumber(args[6])
  tokens = {}
  if args[3] == "-" then
    tokens[1], last = before .. after, 1
  else
    local number = 0
    for token in io.lines(args[3]) do
      number = number + 1
      if number > last then break end
      if number >= first then
        -- Requests with tokens that are used once are created when they are sent, because there are many.
        tokens[number - first + 1] = once and token or before .. token .. after
      end
    end
    last = last - first + 1
    assert(#tokens == last, "there are too few tokens")
  end
  at = 0
end

function request()
  -- wrk requests one at the start, which it validates and does not send.
  if not is_rehearsed then
    is_rehearsed = true
    return before .. after
  end
  if at == 0 and not has_begun then
    has_begun = true
    io.write("begun\n")
    io.flush()
  end
  at = at + 1
  if at > last then
    if once then
      if at == last + 1 then
        io.write("exhausted\n")
        io.flush()
      end
      wrk.thread:stop()
      return before .. "none" .. after -- its answer is not waited for
    end
    at = 1
  end
  if once then return before .. tokens[at] .. after end
  return tokens[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"late":%d,"p50":%d,"p95":%d,"p99":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)
  ))
end
