/** The agents of the simulated world: small limits, so that each of them is met often, and tools of every effect and policy. */
import { agent, type Agent } from "../../src/core/agent.ts";
import type { Effect, OnUnknown } from "../../src/core/effects.ts";
import type { Json } from "../../src/core/json.ts";
import type { FrozenTool } from "../../src/core/run.ts";
import type { Rooms } from "../../src/ports/rooms.ts";
import type { Schema } from "../../src/core/schema.ts";
import type { ToolUse, Verify } from "../../src/core/tool-use.ts";

const anything: Schema = {
  "~standard": {
    version: 1,
    vendor: "simulation",
    validate: (value) => ({ value }),
    jsonSchema: { input: () => ({}), output: () => ({}) },
  },
};

/** The client's own time-out. */
export const TOOL_TIMEOUT_MS = 4_000;
/** The longest way of a request to its provider. */
export const LATEST_ARRIVAL_MS: number = 3 * TOOL_TIMEOUT_MS;
/** After a call's deadline, or after its own worker gave up on it: a request that is under way arrives up to so much later. */
export const SETTLE_MS: number = LATEST_ARRIVAL_MS - TOOL_TIMEOUT_MS + 500;
/** Short, so that it ends while a call waits for its account or for a retry. */
export const KEY_WINDOW_MS = 60_000;

const EFFECT_OF: Readonly<Record<string, Effect>> = {
  find: "read",
  label: "idempotent",
  pay: "keyed",
  draft: "staged",
  post: "verifiable",
  send: "unsafe",
  wire: "unsafe",
  burn: "unsafe",
};

export const TOOLS: readonly FrozenTool[] = Object.entries(EFFECT_OF).map(([name, effect]) => ({
  name,
  effect,
  description: effect,
  parameters: { type: "object" },
  connection: name === "find" ? "chat" : "mail",
  hash: name,
}));

/** The provider's answer to a look says whether there is an effect that carries the call's key. */
const verify: Verify = {
  tool: "find",
  args: ({ key }) => ({ k: 0, about: key }),
  happened: (answer) => (answer.ok ? foundIn(answer.data) : undefined),
  settleMs: SETTLE_MS,
};

function foundIn(data: Json): boolean | undefined {
  const found = typeof data === "object" && data !== null && "found" in data ? data["found"] : undefined;
  return typeof found === "boolean" ? found : undefined;
}

const USES: readonly ToolUse[] = [
  { name: "find" },
  { name: "label" },
  { name: "pay", key: "key", keyWindowMs: KEY_WINDOW_MS },
  { name: "draft", verify },
  { name: "post", verify },
  { name: "send" },
  { name: "wire", onUnknown: "verify", verify },
  { name: "burn", onUnknown: "fail" },
];

export const LIMITS = {
  turns: 4,
  toolCalls: 7,
  callsPerTurn: 3,
  parallel: 2,
  attempts: 3,
  crashes: 4,
  modelTimeoutMs: 25_000,
  toolTimeoutMs: 4_000,
} as const;

export const EXPIRES_AFTER_MS = 400_000;

/** Short, so that some approvals come too late, or are not used in time. */
const APPROVAL_MS = 40_000;

function isOdd(args: Json): boolean {
  return typeof args === "object" && args !== null && "k" in args && Number(args["k"]) % 2 === 1;
}

interface More {
  readonly approves?: boolean;
  readonly model?: string | readonly string[];
}

function make(
  name: string,
  connections: readonly string[],
  onUnknown: "tell" | "ask",
  { approves = false, model = "p/m" }: More = {},
): Agent {
  return agent({
    name,
    model,
    instructions: "",
    prompt: () => "go",
    connections,
    tools: USES,
    onUnknown,
    input: anything,
    limits: LIMITS,
    expiresAfterMs: EXPIRES_AFTER_MS,
    ...(approves && {
      needsApproval: ({ tool, args }) => (tool === "send" || tool === "pay") && isOdd(args),
      approvalExpiresAfterMs: APPROVAL_MS,
    }),
  });
}

/** A profile whose model takes so little that its runs are compacted. */
const NARROW = "narrow";

/** Long texts count little, so that a summary is worth it. */
export const ROOMS: Rooms = {
  of: ({ profile }) => {
    const contextTokens = profile === NARROW ? 1_250 : 1e9;
    return Promise.resolve({ contextTokens, answerTokens: 0, guessed: true });
  },
  counter: () => Promise.resolve((text) => Math.min(text.length, 300)),
};

const ALL: readonly Agent[] = [
  make("both", ["mail", "chat"], "tell", { model: ["p/m", "other/m"] }),
  make("asker", ["mail", "chat"], "ask", { approves: true, model: `${NARROW}/m` }),
  make("mailer", ["mail"], "ask"),
];
const BY_NAME: ReadonlyMap<string, Agent> = new Map(ALL.map((it) => [it.name, it]));

export const AGENTS: readonly [string, string, string] = ["both", "asker", "mailer"];

export function agentOf(name: string): Agent | undefined {
  return BY_NAME.get(name);
}

/** What a tool is for an agent, as the reviewed definitions above say: without `find` nobody can look. */
export function effectOf(tool: string, of?: string): Effect {
  const effect = EFFECT_OF[tool] ?? "unsafe";
  return of === "mailer" && (effect === "staged" || effect === "verifiable") ? "unsafe" : effect;
}

/** What the definitions above say is done about an outcome that nobody knows. */
export function policyOf(tool: string, of: string): OnUnknown {
  if (tool === "burn") return "fail";
  if (tool === "wire") return of === "mailer" ? "tell" : "verify";
  return of === "both" ? "tell" : "ask";
}

export function canBeLookedAfter(tool: string, of: string): boolean {
  return of !== "mailer" && (tool === "draft" || tool === "post" || tool === "wire");
}
