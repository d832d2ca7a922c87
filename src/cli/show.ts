/** `errand show`: a run as a timeline. Without --content it tells sizes, never what was said. */
import { guidance, type Message, type RunEvent, type RunHandle, type RunView } from "../index.ts";
import { EXIT } from "./failure.ts";
import { type GlobalArgs, type Io, jsonLine, line, type Paint, painter, type Style } from "./io.ts";
import { open } from "./open.ts";
import { createTimeline, needsText, type TimelineLine } from "./timeline.ts";
import { count, dollars, duration, offset, oneLine, tokens } from "./units.ts";

export interface ShowArgs extends GlobalArgs {
  readonly follow?: boolean;
  readonly content?: boolean;
}

/** @throws ErrandError `run-unknown`, `redis-…` */
export async function show(id: string, args: ShowArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const run = errand.run(id);
    const view = await run.get();
    const events = run.events({ follow: args.follow === true });
    if (args.json === true) await showJson(run, events, args, io);
    else await showLines(run, view, events, args, io);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

type Events = AsyncIterable<RunEvent>;

/** One object `{ view, events }`; with --follow one event a line as it comes, and `{ view }` at the end. */
async function showJson(run: RunHandle<unknown>, events: Events, { follow }: ShowArgs, io: Io): Promise<void> {
  const all: RunEvent[] = [];
  for await (const event of events) {
    if (follow === true) jsonLine(io.stdout, event);
    else all.push(event);
  }
  const view = await run.get();
  jsonLine(io.stdout, follow === true ? { view } : { view, events: all });
}

async function showLines(
  run: RunHandle<unknown>,
  { createdAt, agent, identifier, tenant }: RunView,
  events: Events,
  { content }: ShowArgs,
  io: Io,
): Promise<void> {
  const paint = painter(io.stdout);
  const whose = tenant === undefined ? identifier : `${identifier} of ${tenant}`;
  line(io.stdout, `${paint("bold", run.id)}  ${agent} for ${whose}, ${new Date(createdAt).toISOString()}\n`);
  const timeline = createTimeline(identifier);
  const say = (lines: readonly TimelineLine[]): void => {
    for (const one of lines) line(io.stdout, timelineLine(one, createdAt, paint));
  };
  for await (const event of events) say(timeline.add(event));
  const view = await run.get();
  if (view.endedAt === undefined) say(timeline.underWay());
  line(io.stdout, `\n${summary(view, Date.now(), paint)}`);
  for (const { reason, connection } of view.parked?.reason === "account" ? view.parked.needs : [])
    line(io.stdout, `→ ${guidance(reason, oneLine(connection)).operator}`);
  if (content === true) for (const text of said(await run.transcript())) line(io.stdout, text);
  if (view.output !== undefined) line(io.stdout, outputText(view.output, content === true));
}

/** What the model saw and said. Mail is hostile text: nothing of it may steer the terminal. */
function said(messages: readonly Message[]): string[] {
  return messages.map((message) => {
    const who = message.role === "tool" ? `tool ${message.name}` : message.role;
    const text =
      message.text === "" && message.role === "assistant" ? `(${message.callIds.length} tool calls)` : message.text;
    return `\n[${who}]\n${capped(text)}`;
  });
}

const STYLES: Readonly<Record<TimelineLine["tone"], Style>> = {
  plain: "reset",
  good: "green",
  bad: "red",
  wait: "yellow",
  dim: "dim",
};

function timelineLine({ at, text, tone }: TimelineLine, from: number, paint: Paint): string {
  const time = paint("dim", offset(at - from).padStart(9));
  return `${time}  ${tone === "plain" ? text : paint(STYLES[tone], text)}`;
}

/** How it stands, and what it cost. */
export function summary(view: RunView, now: number, paint: Paint): string {
  const until = view.endedAt ?? now;
  const waited = view.waits.reduce((sum, wait) => sum + (wait.to ?? until) - wait.from, 0);
  const { limits } = view;
  const of = (most: string | undefined): string => (most === undefined ? "" : ` of ${most}`);
  const parts = [
    count(view.turns, "turn") + of(limits && String(limits.turns)),
    count(view.toolCalls, "tool call") + of(limits && String(limits.toolCalls)),
    tokens(view.usage) + of(limits?.tokens?.toLocaleString("en-US")),
    ...(view.costUsd === undefined
      ? []
      : [dollars(view.costUsd) + of(limits?.costUsd === undefined ? undefined : dollars(limits.costUsd))]),
    `worked ${duration(view.activeMs)}${of(limits && duration(limits.activeMs))}`,
    duration(until - view.createdAt) + (view.waits.length === 0 ? "" : `, of it parked ${duration(waited)}`),
  ];
  return `${paint("bold", statusText(view, now))}\n${parts.join(" · ")}`;
}

function statusText(view: RunView, now: number): string {
  const { status, parked, identifier, waits, failure, truncated, supersededBy } = view;
  if (supersededBy !== undefined) return `${status}: it gave way to ${supersededBy}`;
  if (parked !== undefined) {
    const since = waits.at(-1)?.from;
    const soFar = since === undefined ? "" : ` for ${duration(now - since)}`;
    const whom = parked.reason === "account" ? `, waits for ${identifier}: ${needsText(parked.needs)}` : "";
    return `${status} (${parked.reason})${soFar}${whom}`;
  }
  if (failure !== undefined && status === "failed") return `${status}: ${oneLine(failure.message)}`;
  return truncated === true ? `${status}, truncated` : status;
}

/** Enough to know it by; `result()` has it all. */
const MOST_SHOWN = 4_000;

function outputText(output: unknown, content: boolean): string {
  const text = typeof output === "string" ? output : JSON.stringify(output, null, 2);
  if (!content) return `result: ${count(text.length, "character")} (--content shows it)`;
  return capped(text);
}

function capped(text: string): string {
  const safe = text.replace(/[^\P{Cc}\n]|\p{Cf}/gu, "");
  const rest = safe.length - MOST_SHOWN;
  return rest > 0 ? `${safe.slice(0, MOST_SHOWN)}\n… and ${count(rest, "character")} more` : safe;
}
