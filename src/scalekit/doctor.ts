/** What `errand doctor` asks Scalekit: a token and two lists of names, which cost nothing and change nothing. */
import type { Asked } from "../core/doctor/check.ts";
import type { ScalekitLooked } from "../core/doctor/scalekit.ts";
import { ErrandError } from "../core/errors.ts";
import type { Outage } from "../ports/accounts.ts";
import type { Clock } from "../ports/clock.ts";
import { createAccounts } from "./accounts.ts";
import { createScalekit, type Scalekit, type ScalekitOptions } from "./client.ts";
import { NotSent } from "./failure.ts";
import { createTokens } from "./tokens.ts";
import { createToolbox } from "./tools.ts";

/** Someone waits at a terminal. */
export const PATIENCE_MS = 5_000;

/** Never throws. */
export async function lookAtScalekit(options: ScalekitOptions | undefined, clock: Clock): Promise<ScalekitLooked> {
  if (options === undefined) return { is: "absent" };
  let scalekit: Scalekit;
  try {
    scalekit = createScalekit({ timeoutMs: PATIENCE_MS, ...options }, clock);
  } catch (error) {
    if (error instanceof ErrandError) return { is: "invalid", problem: error.message };
    throw error;
  }
  try {
    const { envUrl } = options;
    const token = await askToken({ ...options, envUrl: envUrl.replace(/\/+$/, "") }, scalekit.timeoutMs, clock);
    if (!token.ok) return { is: "asked", envUrl, token };
    const [connections, tools] = await Promise.all([
      timed(clock, () => createAccounts(scalekit).connections()),
      timed(clock, () => createToolbox(scalekit, { check: () => [], clock }).names()),
    ]);
    return { is: "asked", envUrl, token, connections, tools };
  } finally {
    await scalekit.close();
  }
}

async function askToken(options: ScalekitOptions, timeoutMs: number, clock: Clock): Promise<Asked<true>> {
  const started = clock.monotonic();
  try {
    await createTokens({ ...options, timeoutMs }, clock).get(timeoutMs, undefined);
    return { ok: true, value: true, tookMs: clock.monotonic() - started };
  } catch (error) {
    if (!(error instanceof NotSent)) throw error;
    return { ok: false, why: error.why === "credentials" ? "credentials" : "unavailable", message: error.message };
  }
}

async function timed(
  clock: Clock,
  ask: () => Promise<{ readonly ok: true; readonly names: readonly string[] } | Outage>,
): Promise<Asked<readonly string[]>> {
  const started = clock.monotonic();
  const answer = await ask();
  return answer.ok ? { ok: true, value: answer.names, tookMs: clock.monotonic() - started } : answer;
}
