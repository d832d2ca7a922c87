/** What a tool answered, whole: also a large result, which the evidence only has a note of. */
import { ErrandError } from "../core/errors.ts";
import { plannedCall } from "../core/planned-call.ts";
import type { RunState } from "../core/state.ts";
import type { Json } from "../core/json.ts";
import { didYouMean } from "../core/nearest.ts";
import { type Evidence, isOutcome, type Outcome } from "../core/outcome.ts";
import { readBlob } from "./blobs.ts";
import type { Store } from "./store.ts";

/** The user's private data. Never log it. */
export interface ToolResult {
  /** Of the call's last attempt; `ok`: it was executed. */
  readonly outcome: Outcome["kind"];
  /** What the tool answered, if `ok`. */
  readonly data?: Json;
  /** Only the beginning was kept: `data` is the first 16 MB of its JSON, as text. */
  readonly cut?: true;
  /** What is known of a call that is not `ok`. */
  readonly message?: string;
}

type Attempt = Evidence & { readonly outcome: Outcome };

/** @throws ErrandError `call-unknown`; `result-missing`: not made, or nothing is written down; `result-not-kept` */
export async function toolResult(
  store: Store,
  state: RunState,
  evidence: readonly Evidence[],
  call: string,
): Promise<ToolResult> {
  const { id, turns, claims } = state;
  const attempt = lastAttempt(evidence, call);
  if (attempt !== undefined) return resultOf(store, id, attempt);
  const planned = plannedCall(state, call);
  if (claims[call] !== undefined)
    throw missing(id, call, "was made, but no result has been written down; it may be under way.");
  if (planned === undefined) {
    const names = turns.flatMap((turn) => turn.plan.map((it) => it.id));
    throw new ErrandError(
      "call-unknown",
      `run ${id} has no tool call ${JSON.stringify(call)}${didYouMean(call, names)}; it has ${names.length}` +
        `${names.length === 0 ? "" : `, ${names[0]} to ${names.at(-1)}`}.`,
    );
  }
  const why = planned.verdict === "run" ? "has not been made yet." : "was not made; the model was told why.";
  throw missing(id, call, why);
}

/** One that settled counts more than a later one that did not: late evidence is evidence. */
function lastAttempt(evidence: readonly Evidence[], call: string): Attempt | undefined {
  const attempts = evidence.filter((it): it is Attempt => it.call === call && isOutcome(it.outcome));
  const settled = attempts.filter(({ outcome }) => outcome.kind === "ok" || outcome.kind === "error");
  return (settled.length > 0 ? settled : attempts).toSorted((a, b) => a.at - b.at).at(-1);
}

async function resultOf(store: Store, run: string, { nonce, call, outcome }: Attempt): Promise<ToolResult> {
  if (outcome.kind !== "ok") return { outcome: outcome.kind, message: outcome.message };
  const { data, blob } = outcome;
  if (blob === undefined) return { outcome: "ok", data };
  const text = blob.kept ? await readBlob(store, run, nonce, blob) : undefined;
  if (text === undefined)
    throw new ErrandError(
      "result-not-kept",
      `call ${call} of run ${run} succeeded, but its result of ${blob.characters} characters was not kept: Redis had no room for it, ` +
        "or did not answer in time. Its head and tail are in the transcript.",
      { details: { run, call, characters: blob.characters } },
    );
  if (blob.kept && blob.cut === true) return { outcome: "ok", data: text, cut: true };
  return { outcome: "ok", data: JSON.parse(text) as Json };
}

function missing(run: string, call: string, why: string): ErrandError {
  return new ErrandError("result-missing", `call ${call} of run ${run} ${why}`, { details: { run, call } });
}
