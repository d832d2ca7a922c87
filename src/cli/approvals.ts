/** `errand approvals`: calls that wait for a person's word, and the word. */
import type { Consent, PendingApproval } from "../index.ts";
import { EXIT } from "./failure.ts";
import { jsonInput } from "./input.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, type Paint, painter } from "./io.ts";
import { open } from "./open.ts";
import { duration, oneLine } from "./units.ts";

export interface ApprovalsArgs extends GlobalArgs {
  readonly identifier?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly content?: boolean;
}

/** @throws ErrandError `option-invalid`, `identifier-invalid`, `redis-…` */
export async function approvals(
  { identifier, limit, cursor, content, ...args }: ApprovalsArgs,
  io: Io,
): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const page = await errand.approvals.list(given({ identifier, limit, cursor }));
    if (args.json === true) {
      const shown = page.approvals.map(({ args: data, ...rest }) =>
        content === true ? { ...rest, args: data } : rest,
      );
      jsonLine(io.stdout, { ...page, approvals: shown });
      return EXIT.ok;
    }
    const paint = painter(io.stdout);
    if (page.approvals.length === 0)
      line(io.stderr, cursor === undefined ? "nothing waits for an approval" : "no more");
    for (const one of page.approvals)
      for (const text of linesOf(one, content === true, Date.now(), paint)) line(io.stdout, text);
    if (page.approvals.length > 0)
      line(io.stderr, `errand approvals approve|deny <id>${content === true ? "" : "; --content shows the arguments"}`);
    if (page.cursor !== undefined) line(io.stderr, `more: --cursor '${page.cursor}'`);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

function linesOf(one: PendingApproval, content: boolean, now: number, paint: Paint): string[] {
  const { id, tool, effect, connection, identifier, agent, policy, call, askedAt, expiresAt } = one;
  const where = connection === "" ? "" : ` on ${oneLine(connection)}`;
  return [
    paint("bold", oneLine(id)),
    `  ${oneLine(tool)} (${effect})${where} for ${oneLine(identifier)}: call ${call} of ${oneLine(agent)}, ${policy}`,
    `  asked ${duration(now - askedAt)} ago, denied in ${duration(Math.max(0, expiresAt - now))}`,
    ...(content ? [`  ${oneLine(JSON.stringify(one.args))}`] : []),
  ];
}

export interface DecideArgs extends GlobalArgs {
  readonly by?: string;
  readonly message?: string;
  /** JSON; `-` reads stdin. */
  readonly args?: string;
}

/** @throws ErrandError `approval-unknown`, `approval-over`, `input-invalid`, `run-unknown` */
export async function decide(id: string, decision: "approve" | "deny", args: DecideArgs, io: Io): Promise<number> {
  const { by, message, args: text } = args;
  const edited =
    text === undefined ? undefined : ((await jsonInput(text, "--args", io)) as NonNullable<Consent["args"]>);
  const { errand } = await open(args, io, { optional: true });
  try {
    if (decision === "approve") await errand.approvals.approve(id, given({ by, args: edited }));
    else await errand.approvals.deny(id, given({ by, message }));
    const said = decision === "approve" ? "approved" : "denied";
    if (args.json === true) jsonLine(io.stdout, { id, decision: said });
    else line(io.stdout, `${id}: ${said}`);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}
