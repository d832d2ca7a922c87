/** What the loop works with, and how it can end. */
import type { RunStatus } from "../core/run.ts";
import type { Allowance } from "../ports/allowance.ts";
import type { Cooling } from "../ports/asking.ts";
import type { Accounts } from "../ports/accounts.ts";
import type { Chance, Clock } from "../ports/clock.ts";
import type { Gates } from "../ports/gates.ts";
import type { Log } from "../ports/log.ts";
import type { Losses } from "../ports/losses.ts";
import type { Model } from "../ports/model.ts";
import type { Rooms } from "../ports/rooms.ts";
import type { Toolbox } from "../ports/toolbox.ts";
import type { Words } from "../ports/words.ts";

export interface LoopPorts {
  readonly model: Model;
  readonly toolbox: Toolbox;
  readonly accounts: Accounts;
  readonly gates: Gates;
  /** None: models have no limits of their own, and no price. */
  readonly allowance?: Allowance | undefined;
  /** None: what is refused to one run is asked for by others. */
  readonly cooling?: Cooling | undefined;
  /** None: requests are not counted before they are sent. */
  readonly rooms?: Rooms | undefined;
  /** None: accounts that are lost together are lost one by one. */
  readonly losses?: Losses | undefined;
  /** None: nobody is told what a model writes before it has answered. */
  readonly words?: Words | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Resolves after so many ms, or at once when the signal is aborted. None: nobody waits inside of a tool. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  readonly log: Log;
  /** Text → short digest; equal texts, equal digests. */
  readonly hash: (text: string) => string;
  /** True once the worker shuts down: the run is handed back at the next step's end. */
  readonly draining: () => boolean;
}

/** How a worker's hold on a run ended. `lost`: somebody else owns it now; nothing more may be written. */
export type Ending =
  | Extract<RunStatus, "completed" | "failed" | "cancelled" | "expired" | "parked">
  | "yielded"
  | "lost";

/** A step that leaves the run answers how; one that does not answers nothing, and the loop goes on. */
export type Left = Ending | undefined;
