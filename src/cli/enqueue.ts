/** `errand enqueue`: starts a run, and waits for its end when asked to. */
import { type Coalesce, type EnqueueOptions, ErrandError, type RunHandle } from "../index.ts";
import { EXIT } from "./failure.ts";
import { type InputArgs, readInput } from "./input.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { open } from "./open.ts";
import { parkText } from "./timeline.ts";

export interface EnqueueArgs extends GlobalArgs, InputArgs {
  readonly identifier: string;
  readonly key?: string;
  readonly priority?: number;
  readonly tenant?: string;
  readonly queue?: string;
  readonly coalesce?: string;
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** @throws ErrandError of `enqueue`, and with `wait` those of `result` */
export async function enqueue(agent: string, args: EnqueueArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io);
  try {
    const input = await readInput(args, io.stdin);
    const { identifier, key: idempotencyKey, priority, tenant, queue } = args;
    // A wrong word is told by Errand itself.
    const coalesce = args.coalesce as Coalesce | undefined;
    const options = given({ idempotencyKey, priority, tenant, queue, coalesce });
    const asked: EnqueueOptions<unknown> = { identifier, input, ...options };
    const run = await errand.enqueue(agent, asked);
    if (args.wait === true) return await waitFor(run, args, io);
    if (args.json === true) jsonLine(io.stdout, { id: run.id });
    else line(io.stdout, run.id);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

/** Stdout gets the result and nothing else; with --json one object, however the run ended. */
async function waitFor(run: RunHandle<unknown>, args: EnqueueArgs, io: Io): Promise<number> {
  const json = args.json === true;
  if (!json) {
    line(io.stderr, run.id);
    void tellParks(run, args.identifier, io).catch(() => undefined); // ends with the run, or with our connection
  }
  try {
    const output = await run.result(args.timeout === undefined ? {} : { timeoutMs: Math.ceil(args.timeout * 1000) });
    if (json) jsonLine(io.stdout, { id: run.id, status: "completed", output });
    else line(io.stdout, typeof output === "string" ? output : JSON.stringify(output, null, 2));
    return EXIT.ok;
  } catch (error) {
    if (json && error instanceof ErrandError) {
      const { status, failure } = await run.get();
      jsonLine(io.stdout, { id: run.id, status, ...given({ failure }) });
    }
    throw error;
  }
}

async function tellParks(run: RunHandle<unknown>, identifier: string, io: Io): Promise<void> {
  const paint = painter(io.stderr);
  for await (const event of run.events())
    if (event.type === "run.parked") line(io.stderr, paint("yellow", parkText(event, identifier)));
}
