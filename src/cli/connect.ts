/** `errand connect`: lets the person at this machine connect an account for one identifier, as the app's own pages would. */
import { setInterval } from "node:timers/promises";
import { createErrand, type Errand, ErrandError, type SeenAccount } from "../index.ts";
import { EXIT } from "./failure.ts";
import { type GlobalArgs, type Io, jsonLine, line } from "./io.ts";
import { load } from "./open.ts";
import { codeOfSignal, type Stop, watchSignals } from "./signals.ts";
import { type Handler, openSite, type Site, textPage } from "./site.ts";

export interface ConnectArgs extends GlobalArgs {
  readonly identifier: string;
  readonly again?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** In Scalekit's mode "Scalekit users only" nobody comes back: then a look at the status is all that tells. */
const POLL_MS = 3_000;

/** @throws ErrandError of `Errand.account`, `redis-…`, `timeout` */
export async function connect(
  connection: string,
  args: ConnectArgs,
  io: Io,
  { pollMs = POLL_MS }: { readonly pollMs?: number } = {},
): Promise<number> {
  const options = await load(args, io, { optional: true, needs: ["scalekit"] });
  const stop = watchSignals();
  const site = await openSite();
  try {
    const errand = createErrand({ ...options, authorization: { baseUrl: site.baseUrl } });
    try {
      return await connectAt({ errand, site, connection, identifier: args.identifier, pollMs }, stop, args, io);
    } finally {
      await errand.close();
    }
  } finally {
    await site.close();
    stop.close();
  }
}

interface Stage {
  readonly errand: Errand;
  readonly site: Site;
  readonly connection: string;
  readonly identifier: string;
  readonly pollMs: number;
}

async function connectAt(stage: Stage, stop: Stop, args: ConnectArgs, io: Io): Promise<number> {
  const { errand, site, connection, identifier } = stage;
  // Redis keeps the state of the link: that it is there is seen now, and not when the user has clicked.
  const [before] = await Promise.all([errand.account(identifier, connection), errand.runs({ limit: 1 })]);
  if (before.status === "ACTIVE" && args.again !== true) return told(stage, args, io, true);

  const arrival = watchArrival(stage, before);
  try {
    sayLink(site.connectLink(identifier, connection), connection, args, io);
    const end = await Promise.race([arrival.active, stop.asked, after(args.timeout, arrival.signal)]);
    if (end === "late")
      throw new ErrandError("timeout", `${connection} of ${identifier} was not connected within ${args.timeout} s.`);
    return end === "active" ? await told(stage, args, io, false) : codeOfSignal(end);
  } finally {
    arrival.close();
  }
}

function sayLink(link: string, connection: string, { identifier, json }: ConnectArgs, io: Io): void {
  if (json === true) return jsonLine(io.stdout, { identifier, connection, url: link });
  line(io.stderr, `To connect ${connection} for ${identifier}, open this in a browser on this machine:`);
  line(io.stdout, link);
  line(io.stderr, "It works for the first browser that opens it. Waiting; Ctrl-C ends it.");
}

/** The account is ACTIVE: wakes the runs that waited for it, and says so. */
async function told(
  { errand, connection, identifier }: Stage,
  { json }: ConnectArgs,
  io: Io,
  already: boolean,
): Promise<number> {
  await errand.checkAccount(identifier, connection);
  if (json === true) jsonLine(io.stdout, { identifier, connection, status: "ACTIVE", already });
  else if (already) line(io.stdout, `${connection} of ${identifier} was ACTIVE already (--again connects it anew).`);
  else line(io.stdout, `${connection} of ${identifier} is ACTIVE. Runs that waited for it go on.`);
  return EXIT.ok;
}

interface Arrival {
  readonly active: Promise<"active">;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  close(): void;
}

/** Serves the link, and looks at the account every now and then, until one of the two says that it is connected. */
function watchArrival({ errand, site, identifier, connection, pollMs }: Stage, before: SeenAccount): Arrival {
  const over = new AbortController();
  let baseline = before;
  let arrive: (value: "active") => void = () => undefined;
  const active = new Promise<"active">((resolve) => (arrive = resolve));
  const look = (): Promise<SeenAccount | undefined> => errand.account(identifier, connection).catch(() => undefined);

  const connectedUrl = `${site.baseUrl}/connected`;
  const handler = errand.authorizationHandler({ getUser: site.getUser, redirectTo: connectedUrl });
  const serve: Handler = async (request) => {
    const response = await handler(request);
    if (response.status !== 302) return response;
    // It leads there only after Scalekit was told who came back.
    if (response.headers.get("location") === connectedUrl) {
      arrive("active");
      return textPage(200, `${connection} of ${identifier} is connected. You can close this tab.`);
    }
    // A link was made, which may have changed the account: what counts is a change from here on.
    if (before.status === "ACTIVE") baseline = (await look()) ?? baseline;
    return response;
  };
  site.mount(serve);

  const poll = async (): Promise<void> => {
    for await (const _ of setInterval(pollMs, undefined, { signal: over.signal })) {
      const seen = await look();
      if (seen?.status === "ACTIVE" && isNew(seen, baseline)) return arrive("active");
    }
  };
  poll().catch(() => undefined); // aborted
  return { active, signal: over.signal, close: () => over.abort() };
}

/** With --again an account that is ACTIVE says nothing: it must have changed. */
function isNew(seen: SeenAccount, before: SeenAccount): boolean {
  return before.status !== "ACTIVE" || (seen.updatedAt ?? 0) > (before.updatedAt ?? Infinity);
}

function after(seconds: number | undefined, signal: AbortSignal): Promise<"late"> {
  if (seconds === undefined) return new Promise(() => undefined);
  // A timer of more than 24 days would fire at once.
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve("late"), Math.min(seconds * 1_000, 2 ** 31 - 1));
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}
