/** One run on the screen: a line for its present state, until it ends. */
import type { RunEvent, RunHandle } from "../../index.ts";
import { parkText } from "../timeline.ts";
import { oneLine } from "../units.ts";
import type { Digest } from "./inbox-digest.ts";
import type { Finished } from "./report.ts";
import type { Screen } from "./screen.ts";

export interface Followed {
  readonly identifier: string;
  readonly name: string;
}

/** @param onPark when the run waits for the user. @throws ErrandError of `result` */
export async function follow(
  person: Followed,
  run: RunHandle<Digest>,
  screen: Screen,
  onPark: () => void,
): Promise<Finished> {
  for await (const event of run.events()) {
    screen.line(person.name, oneLine(lineOf(event, person.identifier)));
    if (event.type === "run.parked" && event.reason === "account") onPark();
  }
  return { name: person.name, digest: await run.result(), view: await run.get() };
}

function lineOf(event: RunEvent, identifier: string): string {
  switch (event.type) {
    case "run.queued":
      return "queued";
    case "run.started":
      return "a worker took it";
    case "run.prepared":
      return event.tools.length > 0 ? `account ACTIVE, ${event.tools.length} tools` : "account ACTIVE again";
    case "turn.requested":
      return `turn ${event.turn + 1}: asking the model`;
    case "turn.accepted":
      return `turn ${event.turn + 1}: the provider works on it in the background`;
    case "turn.committed":
      return `turn ${event.turn + 1}: ${event.calls.length === 0 ? "an answer" : `wants ${event.calls.length} tool calls`}`;
    case "turn.text":
      return event.text;
    case "turn.failed":
      return `turn ${event.turn + 1}: ${event.asked.profile}/${event.asked.model} did not answer; asking another model`;
    case "run.compacted":
      return "shortened what the model is shown";
    case "tool.called":
      return `calling ${event.tool}`;
    case "tool.settled":
      return event.outcome === "not-executed"
        ? `${event.tool}: the account refused`
        : `${event.tool} answered in ${event.tookMs} ms`;
    case "approval.asked":
      return `${event.tool} needs approval`;
    case "approval.decided":
      return `${event.tool}: ${event.decision}`;
    case "run.parked":
      if (event.reason !== "account") return parkText(event, identifier);
      return `parked (${event.reason}): ${event.needs.map((need) => `${need.connection} ${need.reason}`).join(", ")}; holds nothing`;
    case "tool.unknown":
      return `${event.tool}: nobody knows whether it was executed`;
    case "tool.verified":
    case "tool.answered":
      return `call ${event.call}: ${event.says}`;
    case "run.raised":
      return "its limits were raised";
    case "run.yielded":
      return "handed back";
    case "run.completed":
      return "done";
    case "run.failed":
    case "run.cancelled":
    case "run.expired":
      return `${event.type.slice(4)}: ${event.message ?? ""}`;
  }
}

/** @throws the signal's reason */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}
