/** What `errand doctor` says of replicas, with and without the option `durability`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRedis, type RedisFacts } from "../../src/core/doctor/redis.ts";

/** One of two has all, the other is being filled. */
const PAIR = {
  connected_slaves: "2",
  slave0: "ip=10.0.0.1,port=6379,state=online,offset=9,lag=0",
  slave1: "ip=10.0.0.2,port=6379,state=wait_bgsave,offset=0,lag=0",
};

for (const [what, info, wanted, result, told] of [
  ["no replica, none asked for", { connected_slaves: "0" }, undefined, undefined, ""],
  ["a replica, none asked for", PAIR, undefined, "warning", /^1 replica .*durability/],
  ["as many as asked for", PAIR, 1, "ok", /^1 replica, durability asks for 1/],
  ["one that is not filled yet", PAIR, 2, "failed", /^1 replica, durability asks for 2 .*no tool is called/],
  ["none of those asked for", { connected_slaves: "0" }, 1, "failed", /^0 replicas/],
  ["INFO is hidden", {}, 1, "skipped", /INFO is not allowed .*See yourself/],
] as const)
  test(`replicas: ${what}`, () => {
    const facts: RedisFacts = {
      where: "redis:6379",
      tookMs: 1,
      skewMs: 0,
      skewErrorMs: 1,
      info,
      ...(wanted !== undefined && { wanted }),
    };
    const check = checkRedis(facts).find(({ name }) => name === "replication");
    assert.equal(check?.result, result);
    if (check !== undefined) assert.match(`${check.found} ${check.todo ?? ""}`, new RegExp(told));
  });
