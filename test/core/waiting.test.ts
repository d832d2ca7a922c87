/** What follows from a look at the accounts, and from a failed attempt. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/core/journal.ts";
import type { FailureClass, ModelFailure } from "../../src/core/messages.ts";
import type { Evidence, Refusal } from "../../src/core/outcome.ts";
import { backoffMs } from "../../src/core/retry.ts";
import type { AccountStatus, NeedReason } from "../../src/core/run.ts";
import {
  type AfterFailure,
  type AfterLook,
  afterCallFailure,
  afterLook,
  afterModelFailure,
  afterOutage,
  afterToolsChanged,
  type SeenAccount,
  waitingSince,
} from "../../src/core/waiting.ts";
import * as b from "./build.ts";

type Given = readonly (Entry & { readonly at?: number })[];
const EXPIRES = 60_000;

function seen(...statuses: readonly AccountStatus[]): SeenAccount[] {
  const names = ["gmail", "slack", "github"];
  return statuses.map((status, i) => ({
    connection: names[i] ?? "",
    status,
    accountId: status === "NONE" ? "" : `ca_${i}`,
  }));
}

function look(
  entries: Given,
  accounts: readonly SeenAccount[],
  evidence: readonly Evidence[] = [],
  now = 20_000,
): AfterLook {
  return afterLook(b.run(entries, evidence), accounts, EXPIRES, now, 0);
}

const reasons: readonly (readonly [AccountStatus, NeedReason | undefined])[] = [
  ["ACTIVE", undefined],
  ["NONE", "not-connected"],
  ["UNSPECIFIED", "not-connected"],
  ["PENDING_AUTH", "pending-auth"],
  ["PENDING_VERIFICATION", "pending-verification"],
  ["EXPIRED", "expired"],
  ["DISCONNECTED", "disconnected"],
];

test("each status: ACTIVE goes on, all others wait for their own reason", () => {
  for (const [status, reason] of reasons)
    assert.deepEqual(
      look([b.LEASED], seen(status)),
      reason === undefined ? { do: "go-on" } : { do: "park", needs: [{ connection: "gmail", reason }] },
      status,
    );
});

test("a status that nobody knows yet is not ACTIVE", () => {
  const accounts = seen("SOMETHING_NEW" as AccountStatus);
  assert.deepEqual(look([b.LEASED], accounts), {
    do: "park",
    needs: [{ connection: "gmail", reason: "not-connected" }],
  });
});

test("several accounts: one park names all that are missing, in the order of the connections", () => {
  assert.deepEqual(look([b.LEASED], seen("EXPIRED", "ACTIVE", "NONE")), {
    do: "park",
    needs: [
      { connection: "gmail", reason: "expired" },
      { connection: "github", reason: "not-connected" },
    ],
  });
  assert.deepEqual(look([b.LEASED], seen("ACTIVE", "ACTIVE")), { do: "go-on" });
  assert.deepEqual(look([b.LEASED], []), { do: "go-on" });
});

test("expiry counts from the first of a series of parks; going on starts a new series; a connected account is never too late", () => {
  const series: Given = [
    b.LEASED,
    b.at(10_000, b.parked("account")),
    b.LEASED,
    b.at(50_000, b.parked("account")),
    b.LEASED,
  ];
  assert.equal(waitingSince(b.run(series)), 10_000);
  assert.equal(look(series, seen("NONE"), [], 69_999).do, "park");
  const needs = [{ connection: "gmail", reason: "not-connected" }];
  assert.deepEqual(look(series, seen("NONE"), [], 70_000), { do: "expire", needs });
  assert.deepEqual(look(series, seen("ACTIVE"), [], 99_000), { do: "go-on" });
  const anew: Given = [...series, b.at(55_000, b.prepared()), b.at(60_000, b.parked("account")), b.LEASED];
  assert.equal(waitingSince(b.run(anew)), 60_000);
  assert.equal(look(anew, seen("NONE"), [], 119_999).do, "park");
  assert.deepEqual(look(anew, seen("NONE"), [], 120_000), { do: "expire", needs });
  assert.equal(waitingSince(b.run([b.LEASED])), undefined);
  assert.equal(waitingSince(b.run([b.LEASED, b.parked("retry", "t0"), b.parked("outage", "prepare")])), undefined);
});

const call = b.call("t0c0");
const refusedAt = (why: Refusal, at: number, attempt = 1): Evidence => b.evidence(call, attempt, b.refused(why), at);
const acting: Given = [...b.READY, b.turn(0, [call]), b.claim(call)];

test("an account that is ACTIVE and refuses is asked again five times, each time later, then the user must connect again", () => {
  let entries: Given = acting;
  const evidence = [refusedAt("account", 5_500)];
  const delays: number[] = [];
  for (let attempt = 1; attempt <= 5; attempt++) {
    const after = look(entries, seen("ACTIVE"), evidence);
    assert.ok(after.do === "probe" && after.about === "t0c0", after.do);
    delays.push(after.delayMs);
    const t = attempt * 10_000;
    entries = [...entries, b.at(t, b.parked("probe", "t0c0")), b.LEASED];
    assert.deepEqual(look(entries, seen("ACTIVE"), evidence), { do: "go-on" }, "it was waited for");
    entries = [...entries, b.at(t + 1, b.AGAIN), b.at(t + 2, b.claim(call, attempt + 1))];
    evidence.push(refusedAt("account", t + 3, attempt + 1));
  }
  assert.deepEqual(delays, [2_000, 4_000, 8_000, 16_000, 32_000], "a minute at least: chance is 0 here");
  const connectAgain = { do: "park", needs: [{ connection: "gmail", reason: "refused" }], after: 50_003 };
  assert.deepEqual(look(entries, seen("ACTIVE"), evidence), connectAgain);
  const back: Given = [...entries, b.at(90_000, b.parked("account")), b.LEASED];
  assert.deepEqual(look(back, seen("ACTIVE"), evidence, 91_000), { do: "go-on" });
});

test("a missing scope needs a new consent at once", () => {
  const after = look(acting, seen("ACTIVE"), [refusedAt("scope", 5_500)]);
  assert.deepEqual(after, { do: "park", needs: [{ connection: "gmail", reason: "missing-scope" }], after: 5_500 });
});

test("a user who has connected anew since the refusal is not asked once more", () => {
  const refused = [refusedAt("scope", 5_500)];
  const since = (updatedAt: number): SeenAccount[] => seen("ACTIVE").map((it) => ({ ...it, updatedAt }));
  assert.equal(look(acting, since(5_500), refused).do, "park");
  assert.deepEqual(look(acting, since(5_501), refused), { do: "go-on" });
});

test("an account that is not ACTIVE is waited for as such, whatever it refused", () => {
  const after = look(acting, seen("EXPIRED"), [refusedAt("scope", 5_500)]);
  assert.deepEqual(after, { do: "park", needs: [{ connection: "gmail", reason: "expired" }] });
});

test("a refusal of a settled call, of a rejected one, or for another reason does not ask for an account", () => {
  for (const why of ["rate-limit", "unavailable", "credentials"] as const)
    assert.deepEqual(look(acting, seen("ACTIVE"), [refusedAt(why, 5_500)]), { do: "go-on" }, why);
  const settled = [...acting, b.AGAIN, b.claim(call, 2)];
  const evidence = [refusedAt("account", 5_500), b.evidence(call, 2, b.OK, 7_500)];
  assert.deepEqual(look(settled, seen("ACTIVE"), evidence), { do: "go-on" });
  assert.deepEqual(look([...b.READY, b.turn(0, [b.rejected("t0c0")])], seen("ACTIVE")), { do: "go-on" });
});

function failure(cls: FailureClass, retryAfterMs?: number): ModelFailure {
  return { kind: "failure", class: cls, message: `it was ${cls}`, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** `park retry 200` or `end model-unavailable`. */
function brief(after: AfterFailure): string {
  return after.do === "park" ? `park ${after.park.reason} ${after.delayMs}` : `end ${after.end.code}`;
}

const parks = (count: number, reason: "retry" | "budget" | "outage" | "review", about: string): Entry[] =>
  Array.from({ length: count }, () => b.parked(reason, about));

const failures: readonly (readonly [string, Given, ModelFailure, string])[] = [
  ["retry", [], failure("retry"), "park retry 200"],
  ["rate limit", [], failure("rate-limit"), "park rate-limit 200"],
  ["Retry-After wins when it is longer", [], failure("rate-limit", 90_000), "park rate-limit 90000"],
  ["and not when it is shorter", [], failure("rate-limit", 10), "park rate-limit 200"],
  ["the second time", parks(1, "retry", "t1"), failure("retry"), "park retry 400"],
  ["the last but one", parks(3, "retry", "t1"), failure("retry"), "park retry 1600"],
  ["the last", parks(4, "retry", "t1"), failure("retry"), "end model-unavailable"],
  ["a limit of the provider's never ends a run", parks(9, "retry", "t1"), failure("rate-limit"), "park rate-limit 200"],
  ["attempts of other turns do not count", parks(4, "retry", "t0"), failure("retry"), "park retry 200"],
  [
    "waits for the operator are no attempts",
    [...parks(9, "outage", "t1"), ...parks(9, "budget", "t1")],
    failure("retry"),
    "park retry 200",
  ],
  ["billing", [], failure("billing"), "park budget 3000"],
  ["billing, again", parks(2, "budget", "t1"), failure("billing"), "park budget 12000"],
  ["billing never ends a run", parks(99, "budget", "t1"), failure("billing"), "park budget 90000"],
  [
    "billing after retries waits as for the first time",
    parks(4, "retry", "t1"),
    failure("billing"),
    "park budget 3000",
  ],
  ["credentials", [], failure("credentials"), "park outage 3000"],
  ["credentials never end a run", parks(99, "outage", "t1"), failure("credentials"), "park outage 90000"],
  ["context", [], failure("context"), "end context-overflow"],
  ["invalid", [], failure("invalid"), "end model-invalid-request"],
];

test("a failed request to the model, by its class", () => {
  for (const [name, entries, given, expected] of failures) {
    const state = b.run([...b.READY, b.turn(0, []), ...entries]);
    const after = afterModelFailure(state, 1, given, 5, 0);
    assert.equal(brief(after), expected, name);
    assert.equal(after.do === "park" ? after.park.message : after.end.message, given.message, name);
    if (after.do === "park") assert.equal(after.park.about, "t1", name);
  }
});

test("an outage of Scalekit waits and never ends a run; the next outage starts anew", () => {
  const after = afterOutage(b.run([b.LEASED]), "unreachable", 0);
  assert.deepEqual(after, {
    do: "park",
    park: { kind: "parked", reason: "outage", about: "prepare", message: "unreachable" },
    delayMs: 200,
  });
  assert.equal(brief(afterOutage(b.run([b.LEASED, ...parks(3, "outage", "prepare")]), "", 0)), "park outage 1600");
  assert.equal(brief(afterOutage(b.run([b.LEASED, ...parks(99, "outage", "prepare")]), "", 0)), "park outage 30000");
  const over = [b.LEASED, ...parks(9, "outage", "prepare"), b.prepared(), b.parked("account"), b.LEASED];
  assert.equal(brief(afterOutage(b.run(over), "", 0)), "park outage 200");
});

test("tools that have changed: the run waits for a review and never ends of it; only waits since the last preparation count", () => {
  const after = afterToolsChanged(b.run([b.LEASED]), ["x_send", "x_get"], 0);
  assert.equal(brief(after), "park review 3000");
  const { about, message = "" } = after.do === "park" ? after.park : {};
  assert.equal(about, "prepare");
  assert.match(message, /definition of x_send, x_get is not .*: errand tools classify$/);
  const again = (entries: readonly Entry[]): string =>
    brief(afterToolsChanged(b.run([b.LEASED, ...entries]), ["x"], 0));
  assert.equal(again(parks(2, "review", "prepare")), "park review 12000");
  assert.equal(again(parks(99, "review", "prepare")), "park review 90000");
  assert.equal(again(parks(9, "review", "t0c0")), "park review 3000", "reviews of calls are others");
  assert.equal(again(parks(9, "outage", "prepare")), "park review 3000");
  assert.equal(again([...parks(9, "review", "prepare"), b.prepared(), b.LEASED]), "park review 3000");
});

test("a failed call waits: for the operator if our credentials were refused, else for the provider", () => {
  const after = (why: Refusal, failed: number, retryAfterMs = 0): string =>
    brief(afterCallFailure("t0c0", { failed, why, message: "m", retryAfterMs }, 0));
  assert.equal(after("rate-limit", 1), "park rate-limit 100");
  assert.equal(after("unavailable", 3), "park retry 400");
  assert.equal(after("unavailable", 99), "park retry 6000");
  assert.equal(after("rate-limit", 1, 5_000), "park rate-limit 5000");
  assert.equal(after("credentials", 1), "park outage 3000");
  const { park } = afterCallFailure(
    "t0c0",
    { failed: 1, why: "credentials", message: "m", retryAfterMs: 0 },
    0,
  ) as Extract<AfterFailure, { do: "park" }>;
  assert.deepEqual(park, { kind: "parked", reason: "outage", about: "t0c0", message: "m" });
});

test("backoff: doubles up to its cap, spread from a tenth of it to the whole; a longer wish of the provider wins", () => {
  const backoff = { baseMs: 1_000, capMs: 8_000 };
  const rows = [
    [1, 0, 0, 100],
    [1, 0.5, 0, 550],
    [1, 0.999_999, 0, 1_000],
    [2, 0, 0, 200],
    [4, 0.999_999, 0, 8_000],
    [5, 0.999_999, 0, 8_000],
    [1e9, 0, 0, 800],
    [1, 0, 99_999.4, 99_999],
    [4, 0.999_999, 10, 8_000],
  ] as const;
  for (const [attempt, random, wish, expected] of rows)
    assert.equal(backoffMs(attempt, random, backoff, wish), expected, `${attempt} ${random} ${wish}`);
});
