/** Enqueueing, cancelling and reading runs: what an app does, from any process, without being a worker. */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { createHash } from "node:crypto";
import { v7 as uuid } from "uuid";
import type { Agent } from "../core/agent.ts";
import { ErrandError } from "../core/errors.ts";
import { checkIdentifier } from "../core/identifier.ts";
import type { Covered, Created, RunTick } from "../core/journal.ts";
import { canonical, type Json, toJson } from "../core/json.ts";
import { validate } from "../core/schema.ts";
import type { Chance } from "../ports/clock.ts";
import { decodeTickets } from "./codec.ts";
import { type EnqueueBound, overBound } from "./enqueue-bounds.ts";
import { CREATE } from "./scripts/create.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

export interface EnqueueOptions<Input> {
  /** The app's id of the user on whose behalf the run acts. 1–100 printable ASCII characters without spaces. */
  readonly identifier: string;
  readonly input: Input;
  /** The same key and input give the same run; the same key with another input is refused. Kept as long as its run. */
  readonly idempotencyKey?: string;
  /** −1000 to 1000 among the runs of this identifier; lower goes first, default 0. */
  readonly priority?: number;
  /** The identifier's one tenant, recorded on first use. */
  readonly tenant?: string;
  /** Overrides the agent's queue. */
  readonly queue?: string;
  /** The time that the run is about, ms since 1970; the agent's instructions and prompt are given it. */
  readonly covers?: Covered;
  /**
   * While a run of this agent and identifier waits for an account: `all` adds this one to it (default); `latest` adds it and lets give way
   * what has no committed turn yet, whose time it covers as well; `skip` gives the waiting run instead of a new one.
   */
  readonly coalesce?: Coalesce;
}

const OPTIONS: OptionNames<EnqueueOptions<unknown>> = {
  identifier: true,
  input: true,
  idempotencyKey: true,
  priority: true,
  tenant: true,
  queue: true,
  covers: true,
  coalesce: true,
};

export type Coalesce = "all" | "latest" | "skip";

const COALESCE: readonly Coalesce[] = ["all", "latest", "skip"];

export interface Producer {
  /** @returns the run's id; of an earlier run when the idempotency key is known. @throws ErrandError */
  create(agent: Agent, options: EnqueueOptions<unknown>): Promise<string>;
}

/** @param bounds what an identifier and a tenant may enqueue now */
export function createProducer(
  store: Store,
  tickets: Tickets,
  chance: Chance,
  bounds: (whose: { identifier: string; tenant?: string | undefined }) => readonly EnqueueBound[] = () => [],
): Producer {
  return {
    create: async (agent, options) => {
      checkOptionNames(`enqueue ${agent.name}`, options, OPTIONS);
      const args = await createArguments(agent, options, chance.nonce());
      const bound = bounds(options);
      const reply = await store.run(CREATE, ...args, ...(bound.length > 0 ? [JSON.stringify(bound)] : []));
      const [is, whose, used] = reply;
      if (is === "runs" || is === "parked")
        throw overBound(`enqueue ${agent.name}`, { is, whose: String(whose), used: Number(used) }, bound);
      await tickets.add(decodeTickets(reply.slice(2)));
      return answered(agent, options, String(reply[0]), String(reply[1]));
    },
  };
}

/** What the script is told of a new run, the run's id first. @param tick the schedule that makes it @throws ErrandError */
export async function createArguments(
  agent: Agent,
  options: EnqueueOptions<unknown>,
  nonce: string,
  tick?: RunTick,
): Promise<readonly (string | number)[]> {
  const checked = await check(agent, options);
  const { idempotencyKey } = options;
  const created: Created = {
    kind: "created",
    agent: agent.name,
    identifier: checked.identifier,
    input: checked.input,
    ...(options.tenant !== undefined && { tenant: options.tenant }),
    ...(options.covers !== undefined && { covers: options.covers }),
    ...(tick !== undefined && { tick }),
  };
  return [
    `run_0_${uuid().replaceAll("-", "")}`,
    nonce,
    agent.name,
    checked.identifier,
    options.tenant ?? "",
    checked.queue,
    checked.priority,
    idempotencyKey === undefined ? "" : sha256(canonical([agent.name, checked.identifier, idempotencyKey])),
    sha256(canonical(checked.input)),
    JSON.stringify(created),
    options.coalesce ?? "all",
    options.covers?.from ?? "",
    agent.perIdentifier ?? "",
  ];
}

function answered(agent: Agent, options: EnqueueOptions<unknown>, answer: string, what: string): string {
  switch (answer) {
    case "ok":
    case "same":
    case "skipped":
      return what;
    case "conflict":
      throw new ErrandError(
        "idempotency-conflict",
        `enqueue ${agent.name}: the idempotency key already belongs to run ${what}, which has another input. Use a new key, or the same input.`,
        { details: { run: what } },
      );
    case "tenant":
      throw new ErrandError(
        "tenant-conflict",
        `enqueue ${agent.name}: identifier ${options.identifier} belongs to tenant ${JSON.stringify(what)}, got ${JSON.stringify(options.tenant ?? "")}. An identifier has one tenant.`,
      );
    default:
      throw new Error(`create: unknown answer ${JSON.stringify(answer)}`);
  }
}

async function check(
  agent: Agent,
  options: EnqueueOptions<unknown>,
): Promise<{ identifier: string; input: Json; queue: string; priority: number }> {
  const identifier = checkIdentifier(options.identifier);
  const result = await validate(agent.input, options.input);
  if (!result.ok)
    throw new ErrandError(
      "input-invalid",
      `enqueue ${agent.name}: the input does not fit its schema: ${result.issues.join("; ")}`,
      {
        details: { issues: result.issues },
      },
    );
  const { priority = 0, queue = agent.queue, tenant, idempotencyKey } = options;
  if (!Number.isInteger(priority) || Math.abs(priority) > 1000)
    throw new ErrandError(
      "option-invalid",
      `enqueue ${agent.name}: priority: expected a whole number from -1000 to 1000, got ${String(priority)}.`,
    );
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(queue))
    throw new ErrandError(
      "option-invalid",
      `enqueue ${agent.name}: queue: expected 1 to 64 letters, digits, '-', '_' or '.', got ${JSON.stringify(queue)}.`,
    );
  if (tenant !== undefined) checkIdentifier(tenant);
  checkWindow(agent, options);
  if (
    idempotencyKey !== undefined &&
    (typeof idempotencyKey !== "string" || idempotencyKey === "" || idempotencyKey.length > 500)
  )
    throw new ErrandError(
      "option-invalid",
      `enqueue ${agent.name}: idempotencyKey: expected a text of 1 to 500 characters.`,
    );
  return { identifier, input: toJson(result.value), queue, priority };
}

function checkWindow(agent: Agent, { covers, coalesce }: EnqueueOptions<unknown>): void {
  if (coalesce !== undefined && !COALESCE.includes(coalesce))
    throw new ErrandError(
      "option-invalid",
      `enqueue ${agent.name}: coalesce: expected one of ${COALESCE.join(", ")}, got ${JSON.stringify(coalesce)}.`,
    );
  const { from, to = from } = covers ?? {};
  if (covers !== undefined && !(isMoment(from) && isMoment(to) && from <= to))
    throw new ErrandError(
      "option-invalid",
      `enqueue ${agent.name}: covers: expected { from, to? } in whole milliseconds since 1970, from before to, got ${JSON.stringify(covers)}.`,
    );
}

function isMoment(ms: number | undefined): ms is number {
  return Number.isSafeInteger(ms) && Number(ms) >= 0;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
