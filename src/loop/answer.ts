/**
 * The model's reply to a turn that was asked for. Where the provider works on it in the background, its id is written down before it is
 * fetched, so that it is fetched by whoever has the run, and not bought twice.
 */
import type { TurnAccepted, TurnRequested } from "../core/journal.ts";
import type { ModelReply, ModelRequest } from "../core/messages.ts";
import type { Accepted, Background } from "../ports/model.ts";
import type { Fitting } from "./fitting.ts";
import { type HeldRun, LeaseLost } from "./held.ts";
import type { LoopPorts } from "./loop.ts";

/** However late another worker comes: time for some looks. */
const LATE_MS = 15_000;

export interface Question {
  readonly request: ModelRequest;
  readonly asked: Pick<TurnRequested, "turn" | "attempt">;
}

/** @returns nothing when the run was cancelled meanwhile, or goes on elsewhere. @throws LeaseLost */
export async function answerTo(fitting: Fitting, { request, asked }: Question): Promise<ModelReply | undefined> {
  const { context, held, agent, ports, step } = fitting;
  held.assertLease();
  const { modelTimeoutMs: most } = context.limits;
  const { accepted } = step;
  const timeoutMs = accepted === undefined ? most : Math.max(LATE_MS, accepted.at + most - held.now());
  const words = agent.stream ? ports.words?.open(held.id, asked) : undefined;
  const waiting = waitingFor(fitting, asked);
  const reply = await ports.model.respond(request, {
    timeoutMs,
    signal: held.stop,
    ...(words !== undefined && { onText: words.write }),
    background: waiting.background,
  });
  words?.close();
  waiting.check();
  if (held.signal.aborted) throw new LeaseLost("aborted during a model call");
  if (held.stop.aborted) return undefined;
  if (reply.kind === "failure" && reply.background === "left") return undefined;
  // Nobody will fetch it any more: a next attempt asks anew.
  if (reply.kind === "failure" && reply.background === "running") await giveUp(held, ports);
  return reply;
}

interface Waiting {
  readonly background: Background;
  /** @throws what kept the id from being written down */
  check(): void;
}

function waitingFor({ held, asked, ports, step }: Fitting, { turn, attempt }: Question["asked"]): Waiting {
  let broke: { readonly by: unknown } | undefined;
  const accept = async ({ answer, history }: Accepted): Promise<boolean> => {
    const entry: TurnAccepted = { kind: "turn-accepted", turn, attempt, asked, answer };
    held.note(history === undefined ? entry : { ...entry, history });
    try {
      await held.flush();
      return true;
    } catch (error) {
      broke = { by: error };
      // Certainly not written, so nobody can fetch it.
      if (error instanceof LeaseLost) await ports.model.cancel?.(asked, answer);
      return false;
    }
  };
  const { accepted } = step;
  return {
    background: { accept, leaves: () => ports.draining() || held.cancelled, ...(accepted && { accepted }) },
    check() {
      if (broke !== undefined) throw broke.by;
    },
  };
}

/** The answer that is waited for is not wanted any more. Best effort: otherwise it is paid for in vain. */
export async function giveUp({ state }: Pick<HeldRun, "state">, { model }: Pick<LoopPorts, "model">): Promise<void> {
  const { accepted } = state;
  if (accepted !== undefined) await model.cancel?.(accepted.asked, accepted.answer);
}
