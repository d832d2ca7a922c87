/** Each status and each reason has its own next action, in words for the user and for the operator. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuthorizationEvent, withUrls } from "../../src/core/authorization.ts";
import { guidance, needFor } from "../../src/core/needs.ts";
import type { AccountStatus, Need, NeedReason } from "../../src/core/run.ts";

/** Complete by its type: a new status or reason does not compile until it is here. */
const STATUSES: Readonly<Record<AccountStatus, NeedReason | undefined>> = {
  ACTIVE: undefined,
  NONE: "not-connected",
  UNSPECIFIED: "not-connected",
  PENDING_AUTH: "pending-auth",
  PENDING_VERIFICATION: "pending-verification",
  EXPIRED: "expired",
  DISCONNECTED: "disconnected",
};
const ACTIONS: Readonly<Record<NeedReason, string>> = {
  "not-connected": "connect",
  "pending-auth": "finish",
  "pending-verification": "verify",
  expired: "reconnect",
  disconnected: "reconnect",
  "missing-scope": "grant",
  refused: "reconnect",
};
const REASONS = Object.keys(ACTIONS) as NeedReason[];

test("each status is its own reason, and one that nobody knows is not ACTIVE", () => {
  for (const [status, reason] of Object.entries(STATUSES))
    assert.equal(needFor(status as AccountStatus), reason, status);
  assert.equal(needFor("SOMETHING_NEW" as AccountStatus), "not-connected");
});

test("each reason has an action, and texts that name the connection and differ from all others", () => {
  for (const reason of REASONS) {
    const { action, user, operator } = guidance(reason, "gmail-prod");
    assert.equal(action, ACTIONS[reason], reason);
    assert.ok(user.includes("gmail-prod") && operator.includes("gmail-prod"), `${reason} names the connection`);
    assert.ok(!/scalekit|errand|redis/i.test(user), `${reason}: what a user is told names no service of ours`);
    assert.ok(user.length < 120, `${reason}: one sentence`);
  }
  for (const who of ["user", "operator"] as const)
    assert.equal(new Set(REASONS.map((reason) => guidance(reason, "x")[who])).size, REASONS.length, who);
});

test("an event gets its texts and the app's URLs only when it is told", () => {
  const base = { id: "1-0", at: 1, identifier: "ada" };
  const needs: Need[] = [{ connection: "gmail", reason: "expired" }];
  const asked: AuthorizationEvent<Need> = { ...base, type: "authorization.reminded", number: 1, manual: false, needs };
  const url = (connection: string): string => `https://app/connect/${connection}`;
  assert.deepEqual(withUrls(asked, url), {
    ...asked,
    needs: [
      {
        connection: "gmail",
        reason: "expired",
        action: "reconnect",
        text: guidance("expired", "gmail").user,
        url: "https://app/connect/gmail",
      },
    ],
  });
  const granted: AuthorizationEvent<Need> = { ...base, type: "authorization.granted", connection: "gmail" };
  assert.deepEqual(withUrls(granted, url), granted);
});
