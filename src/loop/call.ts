/** Tool calls: intent, then one single-shot send within the lease, then evidence (DESIGN §4). */
import { toJson } from "../core/json.ts";
import { isLarge, noteOf } from "../core/large.ts";
import type { CallStep } from "../core/next.ts";
import type { BlobNote, Outcome } from "../core/outcome.ts";
import type { ToolSend } from "../ports/toolbox.ts";
import type { Left, LoopPorts } from "./loop.ts";
import type { HeldRun } from "./held.ts";
import { isStopped } from "./leave.ts";

/** Time for evidence to arrive after the send timed out. */
const GRACE_MS = 5_000;

export async function makeCalls(steps: readonly CallStep[], held: HeldRun, ports: LoopPorts): Promise<Left> {
  const timeoutMs = held.state.context?.limits.toolTimeoutMs ?? 0;
  const intents = steps.map((step) => ({ ...step, intent: ports.chance.nonce() }));
  for (const { call, attempt, intent } of intents)
    held.note({
      kind: "call-claimed",
      call: call.id,
      attempt,
      intent,
      tool: call.name,
      argsHash: call.argsHash,
      windowMs: windowMs(held, timeoutMs),
    });
  await held.flush();
  await Promise.all(intents.map((step) => makeCall(step, timeoutMs, held, ports)));
  return undefined;
}

/** From the intent's commit: the last moment it may be sent, the call itself, and grace. */
function windowMs(held: HeldRun, timeoutMs: number): number {
  return held.leaseMs + timeoutMs + GRACE_MS;
}

async function makeCall(
  { call, intent }: CallStep & { intent: string },
  timeoutMs: number,
  held: HeldRun,
  ports: LoopPorts,
): Promise<void> {
  // Stopped between intent and send: the aborted signal keeps it from being sent, and the evidence says so.
  if (!isStopped(held)) held.assertLease();
  const { identifier } = held.state.created;
  const started = ports.clock.monotonic();
  const outcome = await ports.toolbox.send(
    {
      run: held.id,
      call: call.id,
      tool: call.name,
      args: call.args,
      connection: call.connection,
      identifier,
      ...from(held, call.name),
    },
    // A cancelled run gives up its reads; any other call is let finish, so that the journal knows what it did.
    { timeoutMs, signal: call.effect === "read" ? held.stop : held.signal },
  );
  const tookMs = Math.round(ports.clock.monotonic() - started);
  // Even if the lease was lost meanwhile: what happened is evidence, and accepted from any epoch.
  await held.addEvidence({
    nonce: intent,
    call: call.id,
    tool: call.name,
    argsHash: call.argsHash,
    outcome: await fitting(outcome, intent, held),
    tookMs,
  });
}

/** Who makes it, as the run has frozen it. */
function from(held: HeldRun, name: string): Pick<ToolSend, "source" | "version"> {
  const { source, version } = held.state.context?.tools.find((tool) => tool.name === name) ?? {};
  return { ...(source !== undefined && { source }), ...(version !== undefined && { version }) };
}

/** A large result is put beside the journal before its evidence is written; if that fails, the evidence says so. */
async function fitting(outcome: Outcome, intent: string, held: HeldRun): Promise<Outcome> {
  if (outcome.kind !== "ok") return outcome;
  const data = toJson(outcome.data);
  const text = JSON.stringify(data);
  if (!isLarge(text)) return { ...outcome, data };
  const kept = await held.keep(intent, text);
  const characters = text.length;
  const blob: BlobNote = kept === undefined ? { kept: false, characters } : { kept: true, characters, ...kept };
  return { ...outcome, data: noteOf(text), blob };
}
