/** An emulated Scalekit and our adapters on it, for one test. */
import type { TestContext } from "node:test";
import type { Accounts } from "../../src/ports/accounts.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Toolbox, ToolSend } from "../../src/ports/toolbox.ts";
import { createAccounts } from "../../src/scalekit/accounts.ts";
import { createScalekit, type Scalekit } from "../../src/scalekit/client.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import {
  type ScalekitEmulator,
  type ScalekitEmulatorOptions,
  startScalekitEmulator,
} from "../../src/testing/scalekit/index.ts";
import { createChecker } from "../../src/tools/check.ts";

export interface Started {
  readonly emulator: ScalekitEmulator;
  readonly scalekit: Scalekit;
  readonly accounts: Accounts;
  readonly toolbox: Toolbox;
  readonly clock: TestClock;
}

/** A clock that a test sets forward; meanwhile it runs like the real one. */
export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function testClock(): TestClock {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    advance: (ms) => void (ahead += ms),
  };
}

export interface StartOptions extends ScalekitEmulatorOptions {
  readonly timeoutMs?: number;
  readonly secret?: string;
}

export async function start(
  t: TestContext,
  { timeoutMs = 5_000, secret, ...options }: StartOptions = {},
): Promise<Started> {
  const clock = testClock();
  const emulator = await startScalekitEmulator({ now: () => clock.now(), ...options });
  const scalekit = createScalekit(
    { envUrl: emulator.url, clientId: emulator.clientId, clientSecret: secret ?? emulator.clientSecret, timeoutMs },
    clock,
  );
  t.after(async () => {
    await scalekit.close();
    await emulator.close();
  });
  const accounts = createAccounts(scalekit, () => clock.now());
  const toolbox = createToolbox(scalekit, { check: createChecker(), clock });
  return { emulator, scalekit, accounts, toolbox, clock };
}

export const SEND: ToolSend = {
  run: "run_1",
  call: "t1c0",
  tool: "gmail_get_profile",
  args: {},
  connection: "gmail",
  identifier: "ada",
};

export function send(
  toolbox: Toolbox,
  call: Partial<ToolSend> = {},
  { timeoutMs = 5_000, signal = new AbortController().signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Outcome> {
  return toolbox.send({ ...SEND, ...call }, { timeoutMs, signal });
}

/** `ok`, `error`, `unknown`, or why it was not executed. */
export function word(outcome: Outcome): string {
  return outcome.kind === "not-executed" ? outcome.why : outcome.kind;
}

/** `ok`, or why not. */
export function why(answer: { readonly ok: true } | { readonly ok: false; readonly why: string }): string {
  return answer.ok ? "ok" : answer.why;
}
