/** The boundaries of a run's work: before and after each call that a worker makes of its ports. The product has no hooks: its ports are wrapped. */
import type { ShiftPorts } from "../../src/queue/shift.ts";

export const OPS = ["claim", "version", "look", "list", "commit", "model", "send", "evidence"] as const;
export type Op = (typeof OPS)[number];

/** A run is told by its id where the port is told it, else by its identifier. */
export interface Visit {
  readonly op: Op;
  readonly who: string;
}

/** Called before the port; answers what to call after it. May wait, and may throw. */
export type Visitor = (visit: Visit) => Promise<() => Promise<void>>;

export function withBoundaries(ports: ShiftPorts, visitor: Visitor): ShiftPorts {
  const around = async <T>(op: Op, who: string, work: () => Promise<T>): Promise<T> => {
    const after = await visitor({ op, who });
    const result = await work();
    await after();
    return result;
  };
  const { journal, model, toolbox, accounts, gates, clock } = ports;
  /** In the product nothing is awaited between the check of the lease and the start of the port's own deadline, so the wait is part of it. */
  const within = async <T>(
    op: Op,
    who: string,
    timeoutMs: number,
    work: (timeoutMs: number) => Promise<T>,
  ): Promise<T> => {
    const asked = clock.monotonic();
    return around(op, who, () => work(timeoutMs - (clock.monotonic() - asked)));
  };
  return {
    ...ports,
    journal: {
      leaseMs: journal.leaseMs,
      renew: (run, epoch) => journal.renew(run, epoch),
      claim: async (run, options) => {
        const after = await visitor({ op: "claim", who: run });
        const reply = await journal.claim(run, options);
        // The worker renews only once it has the answer: while it is held here, its lease must not end.
        const renewal =
          reply.answer === "claimed" && setInterval(() => void journal.renew(run, reply.epoch), journal.leaseMs / 3);
        try {
          await after();
        } finally {
          if (renewal !== false) clearInterval(renewal);
        }
        return reply;
      },
      commit: (commit) => around("commit", commit.run, () => journal.commit(commit)),
      evidence: (run, evidence) => around("evidence", run, () => journal.evidence(run, evidence)),
      keep: (run, nonce, text) => journal.keep(run, nonce, text),
      kept: (run, nonce, pieces) => journal.kept(run, nonce, pieces),
    },
    model: {
      respond: (request, options) =>
        within("model", identifierIn(request.messages[0]), options.timeoutMs, (timeoutMs) =>
          model.respond(request, { ...options, timeoutMs }),
        ),
    },
    toolbox: {
      check: (tool, args) => toolbox.check(tool, args),
      names: () => toolbox.names(),
      list: (query) => around("list", query.identifier, () => toolbox.list(query)),
      send: (call, options) =>
        within("send", call.run, options.timeoutMs, (timeoutMs) => toolbox.send(call, { ...options, timeoutMs })),
    },
    accounts: {
      ...accounts,
      look: (identifier, connections) => around("look", identifier, () => accounts.look(identifier, connections)),
    },
    gates: { version: (gate) => around("version", identifierOfGate(gate), () => gates.version(gate)) },
  };
}

/** What the story's prompt starts with (story.ts). */
export function identifierIn(message: { readonly role: string; readonly text?: string } | undefined): string {
  return message?.text?.split(" ")[0] ?? "";
}

function identifierOfGate(gate: string): string {
  return gate.split("/")[1] ?? "";
}
