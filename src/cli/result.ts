/** `errand show RUN --result CALL`: what one tool answered, whole, as JSON. Content, so only where somebody asks for it. */
import type { ToolResult } from "../index.ts";
import { EXIT } from "./failure.ts";
import { type GlobalArgs, type Io, line } from "./io.ts";
import { open } from "./open.ts";

export interface ResultArgs extends GlobalArgs {
  readonly result: string;
}

/** @throws ErrandError `run-unknown`, `call-unknown`, `result-missing`, `result-not-kept`, `redis-…` */
export async function printResult(id: string, args: ResultArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const { outcome, data, cut, message }: ToolResult = await errand.run(id).toolResult(args.result);
    if (outcome === "ok") {
      line(io.stdout, harmless(cut === true && typeof data === "string" ? data : JSON.stringify(data)));
      if (cut === true) line(io.stderr, "cut: only the beginning of this result was kept, so it is no whole JSON");
      return EXIT.ok;
    }
    line(io.stdout, harmless(JSON.stringify({ outcome, message })));
    return EXIT.error;
  } finally {
    await errand.close();
  }
}

/** The same JSON; whatever could steer a terminal or hide in it is escaped. All of it stands inside texts. */
function harmless(json: string): string {
  return json.replace(/\p{Cc}|\p{Cf}/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
