/**
 * An MCP server as a server of tools: its sessions, one for all users or, with tokens, one for each.
 *
 * M1 A call is sent once. The SDK repeats nothing; a session that is lost is opened again only for a call that certainly was not sent.
 * M2 A user's token opens only that user's session, and lives no longer than its own time.
 * M3 The list is read again when the server says that it changed, and in any case every half minute.
 */
import { isObject } from "../../core/json.ts";
import type { Outcome } from "../../core/outcome.ts";
import { safeText } from "../../core/safe-text.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Outage } from "../../ports/accounts.ts";
import type { Served, ToolServer } from "../served.ts";
import { isSessionLost, outcomeOfResult, outcomeOfThrown } from "./answer.ts";
import { openSession, type Session } from "./session.ts";
import type { McpTarget } from "./target.ts";

const KEPT_MS = 30_000;
const TOKEN_MS = 300_000;
const LEAST_TOKEN_MS = 1_000;
/** Of one process, per server. The one used longest ago goes. */
const MOST_SESSIONS = 200;
const EVERYBODY = "";

interface Held {
  readonly session: Promise<Session>;
  readonly until: number;
  list: { readonly found: Promise<Served>; readonly until: number } | undefined;
}

export function createMcpServer(target: McpTarget, clock: Pick<Clock, "monotonic">): ToolServer {
  const held = new Map<string, Held>();
  let closed = false;

  const drop = (key: string, which: Held): void => {
    if (held.get(key) === which) held.delete(key);
    void which.session.then((session) => session.close()).catch(() => undefined);
  };
  const hold = (identifier: string): { key: string; entry: Held } => {
    const key = target.token === undefined ? EVERYBODY : identifier;
    const known = held.get(key);
    if (known !== undefined && clock.monotonic() < known.until) {
      held.delete(key);
      held.set(key, known);
      return { key, entry: known };
    }
    if (known !== undefined) drop(key, known);
    let until = Number.POSITIVE_INFINITY;
    const entry: Held = {
      session: open(
        target,
        identifier,
        () => (entry.list = undefined),
        (ms) => (until = clock.monotonic() + ms),
      ),
      get until() {
        return until;
      },
      list: undefined,
    };
    entry.session.catch(() => drop(key, entry));
    held.set(key, entry);
    for (const [oldest, one] of held) if (held.size > MOST_SESSIONS) drop(oldest, one);
    return { key, entry };
  };

  return {
    name: target.source,
    perUser: target.token !== undefined,
    async list(identifier) {
      if (closed) return { ok: false, why: "unavailable", message: "closed" };
      const { key, entry } = hold(identifier);
      if (entry.list !== undefined && clock.monotonic() < entry.list.until) return entry.list.found;
      const found = entry.session
        .then(async (session) => ({ ok: true as const, tools: await session.list(target.timeoutMs) }))
        .catch((error: unknown): Outage => {
          drop(key, entry);
          return outageOf(target, error);
        });
      entry.list = { found, until: clock.monotonic() + KEPT_MS };
      return found;
    },
    async call(call, { timeoutMs, signal }): Promise<Outcome> {
      if (closed) return { kind: "not-executed", why: "unavailable", message: "closed" };
      const { key, entry } = hold(call.identifier);
      let session: Session;
      try {
        session = await entry.session;
      } catch (error) {
        const { why, message } = outageOf(target, error);
        return { kind: "not-executed", why, message };
      }
      const name = session.nameOf(call.tool);
      if (name === undefined || signal.aborted)
        return { kind: "not-executed", why: "unavailable", message: `${target.source} was not called` };
      try {
        const args = isObject(call.args) ? call.args : {};
        return outcomeOfResult(await session.call(name, args, { timeoutMs, signal }), target.mostCharacters);
      } catch (error) {
        if (isSessionLost(error)) drop(key, entry);
        return outcomeOfThrown(call.tool, error);
      }
    },
    async close() {
      closed = true;
      const all = [...held.values()];
      held.clear();
      await Promise.all(all.map(({ session }) => session.then((it) => it.close()).catch(() => undefined)));
    },
  };
}

async function open(
  target: McpTarget,
  identifier: string,
  changed: () => void,
  expiresIn: (ms: number) => void,
): Promise<Session> {
  const given = await within(target.timeoutMs, target.token?.({ identifier }));
  const { token, expiresInMs = TOKEN_MS } = typeof given === "object" ? given : { token: given };
  // Seconds taken for ms would open a session for each question, and none would live to see its answer.
  if (token !== undefined && !(Number.isFinite(expiresInMs) && expiresInMs >= LEAST_TOKEN_MS))
    throw new NoToken(`expiresInMs ${String(expiresInMs)}: expected ms, at least ${LEAST_TOKEN_MS}`);
  if (token !== undefined && (typeof token !== "string" || token === "")) throw new NoToken("no text for a token");
  // With a tenth to spare, so that no call goes out with a token that ends on its way.
  if (token !== undefined) expiresIn(expiresInMs * 0.9);
  return openSession(target, token, target.timeoutMs, changed);
}

/** The app's own code may wait for a server that never answers, and its run would wait with it. */
async function within<T>(ms: number, work: Promise<T> | undefined): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoToken(`no token within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

class NoToken extends Error {
  readonly code = "NO_TOKEN";
}

function outageOf({ source }: McpTarget, error: unknown): Outage {
  const outcome = outcomeOfThrown("", error);
  const ours = outcome.kind === "not-executed" && outcome.why === "credentials";
  const told = "message" in outcome ? outcome.message : "its list cannot be read";
  return { ok: false, why: ours ? "credentials" : "unavailable", message: safeText(`${source}: ${told}`) };
}
