/** What `enqueue` gives back: a run, to wait for, to watch, to cancel. */
import { ErrandError } from "../core/errors.ts";
import type { Limits } from "../core/limits.ts";
import type { Message } from "../core/messages.ts";
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { transcript } from "../core/project.ts";
import type { RunEvent } from "../core/run-events.ts";
import type { RunView } from "../core/view.ts";
import type { Answer } from "../core/outcome.ts";
import type { EventsOptions, RunReader } from "./reader.ts";
import type { ToolResult } from "./tool-result.ts";
import type { GivenAnswer } from "./unknowns.ts";

export interface RunHandle<Output> {
  readonly id: string;
  /**
   * The output of a completed run. Waits as long as the run does; `timeoutMs` bounds the waiting, not the run.
   * @throws ErrandError `run-failed`, `run-cancelled`, `run-expired`, `timeout`
   */
  result(options?: { readonly timeoutMs?: number }): Promise<Output>;
  /** Everything that happened and happens to it; ends when the run does, or with `follow: false` at what is written down by now. */
  events(options?: EventsOptions): AsyncGenerator<RunEvent, void, void>;
  get(): Promise<RunView>;
  /** What the model saw and said, tool results included: the user's private data. Never log it. */
  transcript(): Promise<readonly Message[]>;
  /**
   * What a tool answered, whole, however large; `call` as in the events. The user's private data: never log it.
   * @throws ErrandError `call-unknown`; `result-missing`: not made, or nothing is written down yet; `result-not-kept`: it succeeded, and
   * Redis had no room for what it said
   */
  toolResult(call: string): Promise<ToolResult>;
  /** @returns false when it had ended already */
  cancel(): Promise<boolean>;
  /**
   * Says what you found out about a call whose outcome nobody knew (`errand.unknowns()` lists them). A run that waits for it goes on;
   * `stop` ends it. The first answer stands.
   * @throws ErrandError `run-unknown`, `answer-invalid`
   */
  answer(call: string, says: Answer["says"], options?: { readonly by?: string }): Promise<void>;
  /**
   * Gives the run more than its agent's limits; a run that waits at one goes on. Not while a worker has it.
   * @throws ErrandError `run-unknown`, `run-busy`, `option-invalid`
   */
  raise(limits: Partial<Limits>, options?: { readonly by?: string }): Promise<void>;
}

const RESULT: OptionNames<{ timeoutMs: unknown }> = { timeoutMs: true };
const EVENTS: OptionNames<EventsOptions> = { follow: true, text: true };
const SAID: OptionNames<{ by: unknown }> = { by: true };

export interface RunActions {
  readonly cancel: (run: string) => Promise<boolean>;
  readonly answer: (given: GivenAnswer) => Promise<void>;
  readonly raise: (run: string, limits: Partial<Limits>, by?: string) => Promise<void>;
}

export function runHandle<Output>(
  id: string,
  reader: RunReader,
  { cancel, answer, raise }: RunActions,
): RunHandle<Output> {
  return {
    id,
    result: async (options = {}) => {
      checkOptionNames("result", options, RESULT);
      const view = await reader.ended(id, options.timeoutMs);
      if (view.status === "completed") return view.output as Output;
      throw notCompleted(view);
    },
    events: (options = {}) => {
      checkOptionNames("events", options, EVENTS);
      return reader.events(id, options);
    },
    get: () => reader.view(id),
    transcript: async () => transcript((await reader.read(id)).state),
    toolResult: (call) => reader.toolResult(id, call),
    cancel: () => cancel(id),
    answer: async (call, says, options = {}) => {
      checkOptionNames("answer", options, SAID);
      return answer({ run: id, call, says, ...options });
    },
    raise: async (limits, options = {}) => {
      checkOptionNames("raise", options, SAID);
      return raise(id, limits, options.by);
    },
  };
}

function notCompleted({ id, status, failure, output }: RunView): ErrandError {
  const code = status === "cancelled" ? "run-cancelled" : status === "expired" ? "run-expired" : "run-failed";
  const details = {
    run: id,
    status,
    ...(failure?.code !== undefined && { reason: failure.code }),
    partial: output !== undefined,
  };
  return new ErrandError(code, `run ${id} ended as ${status}${failure === undefined ? "" : `: ${failure.message}`}`, {
    details,
  });
}
