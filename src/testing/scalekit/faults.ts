/** Faults in waiting: what is to go wrong, at which call, and how often. */
import type { AccountStatus } from "./accounts.ts";
import type { Call } from "./calls.ts";
import type { CodeName, ToolErrorInit } from "./errors.ts";

export interface Fault {
  /** RPC method (`ExecuteTool`), or `oauth/token`, `proxy`, `magicLink`, or `*`. */
  readonly method: string;
  /** Only calls of this tool, identifier or connection. */
  readonly tool?: string;
  readonly identifier?: string;
  readonly connection?: string;
  /** Before the side effect (default), or after it: the work is done, and the answer is the fault. */
  readonly when?: "before" | "after";
  /** How many calls it hits. Default 1; `Infinity` until it is removed. */
  readonly times?: number;

  /** Waits so long first. With nothing else set, the call then goes on as usual. */
  readonly delayMs?: number;
  /** Waits until this settles first: a test decides when, and no time is involved. */
  readonly until?: Promise<unknown>;

  /** Answers this gRPC code, e.g. `Unavailable`, with `errorCode` and `message` if given. */
  readonly code?: CodeName;
  readonly errorCode?: string;
  readonly message?: string;
  /** ExecuteTool: the provider's refusal, e.g. `{ status: 429, code: "RATE_LIMITED", message: "slow down" }`. */
  readonly toolError?: ToolErrorInit;
  /** ExecuteTool: answers as if the account were not ACTIVE (yet). */
  readonly notActive?: boolean;
  /** Reads of accounts: shows this status instead of the true one, as a read that lags behind would. */
  readonly showStatus?: AccountStatus;
  /** Answers this HTTP status and no gRPC at all, as a load balancer would. */
  readonly httpStatus?: number;
  /** Sent with `httpStatus` as the `retry-after` header: seconds, or any text (a date, nonsense). */
  readonly retryAfter?: number | string;
  /** Never answers; the connection stays open. */
  readonly blackHole?: boolean;
  /** Ends the connection in the middle of the call. */
  readonly reset?: boolean;
}

export interface AddedFault {
  /** How many calls it has hit. */
  readonly hits: number;
  remove(): void;
}

interface Waiting {
  readonly fault: Fault;
  hits: number;
}

export class Faults {
  #waiting: Waiting[] = [];

  /** Adds a fault behind those already there; a call meets the first that fits it. */
  add(fault: Fault): AddedFault {
    const entry: Waiting = { fault, hits: 0 };
    this.#waiting.push(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
      },
    };
  }

  clear(): void {
    this.#waiting = [];
  }

  take(call: Call, when: "before" | "after"): Fault | undefined {
    const entry = this.#waiting.find(({ fault }) => (fault.when ?? "before") === when && fits(fault, call));
    if (entry === undefined) return undefined;
    entry.hits += 1;
    if (entry.hits >= (entry.fault.times ?? 1)) this.#waiting = this.#waiting.filter((other) => other !== entry);
    return entry.fault;
  }
}

function fits(fault: Fault, call: Call): boolean {
  return (
    (fault.method === "*" || fault.method === call.method) &&
    (fault.tool === undefined || fault.tool === call.tool) &&
    (fault.identifier === undefined || fault.identifier === call.identifier) &&
    (fault.connection === undefined || fault.connection === call.connection)
  );
}
