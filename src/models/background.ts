/**
 * Answers that a provider works on in the background (Responses' `background: true`): it names the answer at once, and is asked for it until
 * it is there.
 *
 * B1 Nothing is fetched before whoever asked has kept the name: a worker that dies then leaves an answer that another one can fetch.
 * B2 An answer under way is given up only by its deadline, by a refusal that no later look changes, or when it is nowhere to be found.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isObject } from "../core/json.ts";
import type { Background } from "../ports/model.ts";
import { errorIn } from "./answer.ts";
import type { Fault } from "./failure.ts";
import type { Fields } from "./fields.ts";
import type { Posted, Transport } from "./transport.ts";
import { retryAfterMs } from "../core/retry-after.ts";

export interface BackgroundProtocol {
  /** What is added to a request for it. */
  readonly fields: Fields;
  /** The id of an answer that is not there yet. */
  pending(body: unknown): string | undefined;
  /** The answer of this id, below the base URL. */
  path(id: string): string;
  /** What is added to a look, given the request. */
  query(request: Fields): Fields;
}

/** ms before the first look, how waits grow, and the longest. OpenAI's own examples look every 2 s. */
export interface Pace {
  readonly firstMs: number;
  readonly growth: number;
  readonly mostMs: number;
}
export const PACE: Pace = { firstMs: 500, growth: 1.5, mostMs: 5_000 };

/** So often whoever waits is asked whether it goes on waiting. */
const SLICE_MS = 250;
/** A look right after the answer was named may come to a server that has not heard of it. */
const MISSING_LOOKS = 2;
const CANCEL_MS = 5_000;

export interface Fetching {
  readonly id: string;
  readonly request: Fields;
  /** Named to another worker: the first look is made at once. */
  readonly again: boolean;
  readonly leaves: Background["leaves"];
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly pace: Pace;
  /** Wall-clock ms. */
  readonly now: () => number;
}

/** @throws what the wait is aborted with */
export async function fetched(
  transport: Transport,
  protocol: BackgroundProtocol,
  { id, request, again, leaves, signal, timeoutMs, pace, now }: Fetching,
): Promise<Posted | Fault> {
  const { get } = transport;
  if (get === undefined) return GONE;
  let [waitMs, missing] = [pace.firstMs, 0];
  for (let look = 0; ; look++) {
    if ((look > 0 || !again) && !(await waited(waitMs, leaves, signal))) return LEFT;
    waitMs = Math.min(pace.mostMs, waitMs * pace.growth);
    const seen = await get(protocol.path(id), protocol.query(request), { signal, timeoutMs }).catch((error: unknown) =>
      refused(error, transport, signal),
    );
    // Without a reply, or with one that is no answer at all: it is still worked on over there.
    if (seen === undefined) continue;
    const fault = "kind" in seen ? seen : errorIn(isObject(seen.body) && seen.body["error"]);
    if (isMissing(fault)) {
      if (++missing >= MISSING_LOOKS) return GONE;
      continue;
    }
    missing = 0;
    if ("kind" in seen) {
      if (!isPassing(seen.status)) return { ...seen, background: "running" };
      waitMs = Math.max(waitMs, Math.min(retryAfterMs(seen.headers, now()) ?? 0, MOST_RETRY_MS));
    } else if (
      isObject(seen.body) &&
      typeof seen.body["status"] === "string" &&
      protocol.pending(seen.body) === undefined
    )
      return seen;
  }
}

export const GONE: Fault = {
  kind: "fault",
  background: "gone",
  words: "the answer that the provider worked on in the background is not there any more",
};
export const LEFT: Fault = {
  kind: "fault",
  background: "left",
  words: "the provider still works on it in the background",
};

/** However long a provider wants to be left alone, the deadline is near. */
const MOST_RETRY_MS = 60_000;

function isMissing(fault: Fault | undefined): boolean {
  if (fault === undefined) return false;
  return fault.status === 404 || fault.status === 410 || /not.?found/i.test(JSON.stringify(fault.error) ?? "");
}

function isPassing(status: number | undefined): boolean {
  return status === undefined || [408, 409, 425, 429].includes(status) || status >= 500;
}

/** @throws if the wait is over */
function refused(error: unknown, transport: Transport, signal: AbortSignal): Fault | undefined {
  if (signal.aborted) throw error;
  return transport.refusal(error);
}

/** @returns false when nobody waits for it here any more. @throws when it is aborted */
async function waited(ms: number, leaves: Background["leaves"], signal: AbortSignal): Promise<boolean> {
  for (let left = ms; left > 0; left -= SLICE_MS) {
    if (leaves()) return false;
    await sleep(Math.min(left, SLICE_MS), undefined, { signal });
  }
  return !leaves();
}

/** Best effort: what cannot be told is paid for. */
export async function cancelled(transport: Transport, protocol: BackgroundProtocol, id: string): Promise<void> {
  const options = { signal: AbortSignal.timeout(CANCEL_MS), timeoutMs: CANCEL_MS };
  await transport.post(`${protocol.path(id)}/cancel`, undefined, options).catch(() => undefined);
}

const UNFINISHED: readonly unknown[] = ["queued", "in_progress"];

/** Responses. @param path of the collection */
export function responsesBackground(path: string, idOf: (id: unknown) => string | undefined): BackgroundProtocol {
  return {
    fields: { background: true, store: true },
    pending: (body) => (isObject(body) && UNFINISHED.includes(body["status"]) ? idOf(body["id"]) : undefined),
    path: (id) => `${path}/${encodeURIComponent(id)}`,
    // Without it the thoughts come back without their content, and no later request can hold them.
    query: ({ include }) => (include === undefined ? {} : { include }),
  };
}
