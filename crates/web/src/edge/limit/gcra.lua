-- GCRA for all replicas: KEYS[1] holds when the next request would be due if they came evenly.
-- ARGV: microseconds one request takes to flow back, requests at once. Answers: let in (1 or 0), what is
-- left, microseconds to wait. The time is the store's own, so the replicas' clocks need not agree.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local room = now + burst * interval - (due + interval)
if room < 0 then
  return {0, 0, -room}
end
redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', math.ceil((due + interval - now) / 1000))
return {1, math.floor(room / interval), 0}
