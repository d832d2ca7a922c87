/** `errand parked`: the accounts that runs wait for, and what an operator does about many of them at once. */
import { type Authorization, type AuthorizationFilter, type Errand, guidance } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { open } from "./open.ts";
import { type Cell, table } from "./table.ts";
import { count, duration, oneLine } from "./units.ts";

export interface ParkedArgs extends GlobalArgs {
  readonly identifier?: string;
  readonly connection?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly check?: boolean;
  readonly remind?: boolean;
  readonly cancel?: boolean;
  readonly yes?: boolean;
}

/** @throws ErrandError `option-invalid`, `identifier-invalid`, `config-missing`, `redis-…` */
export async function parked(args: ParkedArgs, io: Io): Promise<number> {
  const { errand, options } = await open(args, io, { optional: true, needs: args.check === true ? ["scalekit"] : [] });
  try {
    if (args.check === true) return await check(errand, args, io);
    if (args.remind === true) return await remind(errand, options.authorization?.onEvent !== undefined, args, io);
    if (args.cancel === true) return await cancel(errand, args, io);
    return await list(errand, args, io);
  } finally {
    await errand.close();
  }
}

async function list(errand: Errand, args: ParkedArgs, io: Io): Promise<number> {
  const { identifier, connection, limit, cursor } = args;
  const page = await errand.parked(given({ identifier, connection, limit, cursor }));
  if (args.json === true) {
    jsonLine(io.stdout, page);
    return EXIT.ok;
  }
  const { authorizations } = page;
  if (authorizations.length === 0) line(io.stderr, cursor === undefined ? "nobody waits for an account" : "no more");
  else say(authorizations, io);
  if (page.cursor !== undefined) line(io.stderr, `more: --cursor ${page.cursor}`);
  return EXIT.ok;
}

/** A table, and below it once for each reason what it means. */
function say(authorizations: readonly Authorization[], { stdout, stderr }: Io): void {
  const now = Date.now();
  for (const text of table([HEAD, ...authorizations.map((one) => rowOf(one, now))], painter(stdout)))
    line(stdout, text);
  for (const reason of new Set(authorizations.map((one) => one.reason)))
    line(stderr, `${reason}: ${guidance(reason, "the connection").operator}`);
}

const HEAD: readonly Cell[] = [
  "IDENTIFIER",
  "CONNECTION",
  "REASON",
  "RUNS",
  "WAITING",
  "LOOKED AT",
  "NEXT LOOK",
  "REMINDED",
  "LINK",
].map((text) => ({ text, style: "dim" }));

/** Times are Redis's and `now` is ours: a clock that is ahead or behind shows as such, and never below zero. */
function rowOf(one: Authorization, now: number): Cell[] {
  const again = one.nextReminderAt === undefined ? "" : `, again in ${duration(one.nextReminderAt - now)}`;
  return [
    { text: oneLine(one.identifier) },
    { text: oneLine(one.connection) },
    { text: one.reason, style: "yellow" },
    { text: String(one.runs) },
    { text: duration(now - one.since) },
    { text: `${duration(now - one.lastLookAt)} ago` },
    { text: one.nextLookAt === undefined ? "now" : `in ${duration(one.nextLookAt - now)}` },
    { text: `${one.reminders}${again}` },
    { text: linkText(one.link, now) },
  ];
}

/** What the user has done about it; never the link itself. */
function linkText(link: Authorization["link"], now: number): string {
  if (link === undefined) return "not opened";
  const { openedAt, expiresAt, returnedAt } = link;
  if (returnedAt !== undefined) return `came back ${duration(now - returnedAt)} ago`;
  const opened = `opened ${duration(now - openedAt)} ago`;
  return expiresAt <= now ? `${opened}, expired` : opened;
}

interface Page {
  readonly cursor?: string;
}

/** Page by page to the end; sums of the counts. */
async function all<T extends Page>(
  { identifier, connection }: ParkedArgs,
  act: (filter: AuthorizationFilter) => Promise<T>,
  add: (done: T) => void,
): Promise<void> {
  let cursor: string | undefined;
  do {
    const done = await act(given({ identifier, connection, cursor, limit: 100 }));
    add(done);
    cursor = done.cursor;
  } while (cursor !== undefined);
}

async function check(errand: Errand, args: ParkedArgs, io: Io): Promise<number> {
  const sum = { checked: 0, active: 0, unseen: 0 };
  await all(
    args,
    (filter) => errand.authorizations.check(filter),
    ({ checked, active, unseen }) => {
      sum.checked += checked;
      sum.active += active;
      sum.unseen += unseen;
    },
  );
  if (args.json === true) jsonLine(io.stdout, sum);
  else {
    const unseen = sum.unseen === 0 ? "" : `; Scalekit could not be asked about ${sum.unseen}`;
    line(io.stdout, `${count(sum.checked, "account")} looked at: ${sum.active} ACTIVE, their runs go on${unseen}`);
  }
  return sum.unseen === 0 ? EXIT.ok : EXIT.error;
}

/** @param listens whether this configuration has a function that events are told to */
async function remind(errand: Errand, listens: boolean, args: ParkedArgs, io: Io): Promise<number> {
  let reminded = 0;
  await all(
    args,
    (filter) => errand.authorizations.remind(filter),
    (done) => void (reminded += done.reminded),
  );
  if (args.json === true) jsonLine(io.stdout, { reminded });
  else line(io.stdout, `${count(reminded, "reminder")} asked for; the workers tell them`);
  if (!listens)
    line(io.stderr, "errand: this configuration has no authorization.onEvent: no worker with it tells anybody");
  return EXIT.ok;
}

/** Without --yes it only says what it would do. */
async function cancel(errand: Errand, args: ParkedArgs, io: Io): Promise<number> {
  const { identifier, connection } = args;
  if (args.yes !== true) {
    const page = await errand.parked(given({ identifier, connection, limit: 1000 }));
    const runs = page.authorizations.reduce((sum, one) => sum + one.runs, 0);
    const more = page.cursor === undefined ? "" : " and more";
    if (args.json === true) jsonLine(io.stdout, { ...page, cancelled: 0 });
    else if (page.authorizations.length > 0) say(page.authorizations, io);
    line(io.stderr, `errand: nothing was cancelled; with --yes, up to ${count(runs, "run")}${more} will be`);
    return EXIT.usage;
  }
  let cancelled = 0;
  await all(
    args,
    (filter) => errand.authorizations.cancel(filter),
    (done) => void (cancelled += done.cancelled),
  );
  if (args.json === true) jsonLine(io.stdout, { cancelled });
  else line(io.stdout, `${count(cancelled, "run")} cancelled`);
  return EXIT.ok;
}
