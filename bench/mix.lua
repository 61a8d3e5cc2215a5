-- SPDX-License-Identifier: MIT
-- The mix of bench/mix.c for wrk; the same draws for everybody would need the same generator,
-- so the shares are kept and not the order.
local json = { ["Content-Type"] = "application/json" }
local body = '"' .. string.rep("x", 6998) .. '"'
local predict, health, metrics

function init(args)
   predict = wrk.format("POST", "/predict", json, body)
   health = wrk.format("GET", "/healthz")
   metrics = wrk.format("GET", "/metrics")
end

function request()
   local draw = math.random(10)
   if draw <= 8 then return predict end
   return draw == 9 and health or metrics
end
