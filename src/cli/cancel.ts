/** `errand cancel`: ends runs, wherever they stand. */
import type { Errand } from "../index.ts";
import { EXIT, fail } from "./failure.ts";
import { type GlobalArgs, type Io, jsonLine, line } from "./io.ts";
import { open } from "./open.ts";

/** Goes through all of them, whatever one says. @returns 1 when one of them was not there */
export async function cancel(ids: readonly string[], args: GlobalArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    let code: number = EXIT.ok;
    for (const id of new Set(ids)) {
      try {
        await cancelOne(errand, id, args, io);
      } catch (error) {
        if (!isUnknown(error)) throw error;
        code = fail(error, args, io);
      }
    }
    return code;
  } finally {
    await errand.close();
  }
}

async function cancelOne(errand: Errand, id: string, { json }: GlobalArgs, { stdout }: Io): Promise<void> {
  const run = errand.run(id);
  const cancelled = await run.cancel();
  const { status } = await run.get();
  if (json === true) jsonLine(stdout, { id, status, cancelled });
  else line(stdout, `${id}  ${told(cancelled, status)}`);
}

function told(cancelled: boolean, status: string): string {
  if (!cancelled) return `had ended already: ${status}`;
  return status === "cancelled" ? "cancelled" : `${status}; its worker ends it at the next step`;
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "run-unknown";
}
