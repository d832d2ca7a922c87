import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { ErrandError } from "../../src/core/errors.ts";
import { createScalekit } from "../../src/scalekit/client.ts";
import { send, start } from "./start.ts";

test("50 parallel first tool calls fetch one token", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => send(toolbox)));
  assert.ok(outcomes.every((outcome) => outcome.kind === "ok"));
  assert.deepEqual(
    [emulator.calls.count("oauth/token"), emulator.calls.count("ExecuteTool"), emulator.calls.unauthenticated],
    [1, 50, 0],
  );
});

test("50 parallel first questions fetch one token, though the SDK alone would fetch 50", async (t) => {
  const { emulator, accounts } = await start(t);
  emulator.connect("ada", "gmail");
  const looks = await Promise.all(Array.from({ length: 50 }, () => accounts.look("ada", ["gmail"])));
  assert.ok(looks.every((look) => look.ok && look.accounts[0]?.status === "ACTIVE"));
  assert.deepEqual([emulator.calls.count("oauth/token"), emulator.calls.count("ListConnectedAccounts")], [1, 50]);
});
