/** An agent: a definition in code. `agent()` checks it at once, so that a wrong one fails where it is written. */
import { type AgentModels, type ModelsOptions, readModels } from "./agent-models.ts";
import { APPROVAL_MS, checkNeedsApproval, type NeedsApproval } from "./needs-approval.ts";
import { ON_UNKNOWN, type OnUnknown } from "./effects.ts";
import { MOST_LIVE } from "./turns.ts";
import { ErrandError } from "./errors.ts";
import { AT_LIMIT, type AtLimit, completeLimits, type Limits } from "./limits.ts";
import type { Covered } from "./journal.ts";
import { type OptionNames, strayOption } from "./option-names.ts";
import type { InputOf, OutputOf, Schema } from "./schema.ts";
import { checkToolUse, sourceOf, type ToolDefinition, type ToolUse } from "./tool-use.ts";

/** OpenAI refuses more in one request, and so do most gateways. */
export const MOST_TOOLS = 128;

export interface InstructionContext<Input> {
  readonly input: Input;
  readonly identifier: string;
  /** The time that the run is about (`enqueue({ covers })`), with that of the runs that gave way to it. ms since 1970. */
  readonly covers?: Covered;
}

export interface AgentOptions<I extends Schema, O extends Schema | undefined> extends ModelsOptions {
  /** Letters, digits, `-`, `_`, `.`; 1 to 64 characters. Names the agent for ever: runs refer to it. */
  readonly name: string;
  /** The system prompt. Frozen into the run when it is prepared. */
  readonly instructions: string | ((context: InstructionContext<OutputOf<I>>) => string);
  /** The user message; by default the input as JSON. */
  readonly prompt?: (context: InstructionContext<OutputOf<I>>) => string;
  /** Scalekit connection names that must be ACTIVE for the run's identifier. */
  readonly connections?: readonly string[];
  /** The only tools that the model may call: Scalekit's by their names, others by their definitions. */
  readonly tools?: readonly (string | ToolUse | ToolDefinition)[];
  /** What is done when nobody can know whether a call was executed, for tools that do not say it themselves; default `tell`. */
  readonly onUnknown?: Exclude<OnUnknown, "verify">;
  /** Which tool calls need a person's word before they are made, for tools that do not say it themselves; default none. */
  readonly needsApproval?: NeedsApproval;
  /** ms that a person has to approve a call; then it is denied. Default 1 day. */
  readonly approvalExpiresAfterMs?: number;
  readonly input: I;
  /** Without it the result is the text of the last answer. */
  readonly output?: O;
  readonly limits?: Partial<Limits>;
  /**
   * At a limit of the run: `answer` has one last turn without tools for an answer with what there is (default); `fail` ends the run, what
   * text there is is kept; `park` waits, as `budget`, until an operator raises the limit.
   */
  readonly atLimit?: AtLimit;
  /** Which workers serve it; default `default`. */
  readonly queue?: string;
  /**
   * Runs of this agent that one identifier may have live at once. Less than the app's `perIdentifier`: so many of its places. More: so many
   * places of their own, beside those of other agents. Default: the app's, shared with other agents.
   */
  readonly perIdentifier?: number;
  /** How long a run waits for an account, from the first of a series of parks, in ms; default 7 days. */
  readonly expiresAfterMs?: number;
  /** Whether what models write is passed on while they write it, to those who watch with `run.events({ text: true })`; default false. */
  readonly stream?: boolean;
}

export interface Agent<Input = unknown, Output = unknown> extends AgentModels {
  readonly name: string;
  readonly stream: boolean;
  readonly instructions: (context: InstructionContext<unknown>) => string;
  readonly prompt: (context: InstructionContext<unknown>) => string;
  readonly connections: readonly string[];
  readonly tools: readonly ToolUse[];
  readonly onUnknown: OnUnknown;
  readonly needsApproval: NeedsApproval;
  readonly approvalMs: number;
  readonly input: Schema<unknown, Input>;
  readonly output: Schema<unknown, Output> | undefined;
  readonly limits: Limits;
  readonly atLimit: AtLimit;
  readonly queue: string;
  readonly perIdentifier?: number;
  readonly expiresAfterMs: number;
  /** Carries the input type that a caller writes; never set. */
  readonly "~input"?: unknown;
}

/** An agent whose enqueued input is typed as the caller writes it. */
export interface TypedAgent<Given, Input, Output> extends Agent<Input, Output> {
  readonly "~input"?: Given;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const DAY = 86_400_000;

const OPTIONS: OptionNames<AgentOptions<Schema, Schema>> = {
  name: true,
  model: true,
  fallbackOn: true,
  summariser: true,
  instructions: true,
  prompt: true,
  connections: true,
  tools: true,
  onUnknown: true,
  needsApproval: true,
  approvalExpiresAfterMs: true,
  input: true,
  output: true,
  limits: true,
  atLimit: true,
  queue: true,
  perIdentifier: true,
  expiresAfterMs: true,
  stream: true,
};

/** @throws ErrandError `agent-invalid` */
export function agent<const I extends Schema, const O extends Schema | undefined = undefined>(
  options: AgentOptions<I, O>,
): TypedAgent<InputOf<I>, OutputOf<I>, O extends Schema ? OutputOf<O> : string> {
  const whose = `agent ${JSON.stringify(options.name)}`;
  const refuse = (message: string): never => {
    throw new ErrandError("agent-invalid", `${whose}: ${message}`);
  };
  const stray = strayOption(options, OPTIONS);
  if (stray !== undefined) refuse(stray);
  if (typeof options.name !== "string" || !NAME.test(options.name))
    refuse("name: expected 1 to 64 letters, digits, '-', '_' or '.', starting with a letter or digit.");
  const models = readModels(options, refuse);
  for (const [what, schema] of [
    ["input", options.input],
    ["output", options.output],
  ] as const)
    checkSchema(what, schema, refuse);
  const queue = options.queue ?? "default";
  if (typeof queue !== "string" || !NAME.test(queue))
    refuse(`queue: expected 1 to 64 letters, digits, '-', '_' or '.', got ${JSON.stringify(queue)}.`);
  const expiresAfterMs = options.expiresAfterMs ?? 7 * DAY;
  if (!Number.isFinite(expiresAfterMs) || expiresAfterMs <= 0)
    refuse(`expiresAfterMs: expected a positive number of milliseconds, got ${String(expiresAfterMs)}.`);
  const { perIdentifier } = options;
  if (
    perIdentifier !== undefined &&
    !(Number.isInteger(perIdentifier) && perIdentifier >= 1 && perIdentifier <= MOST_LIVE)
  )
    refuse(`perIdentifier: expected a whole number from 1 to ${MOST_LIVE}, got ${String(perIdentifier)}.`);

  const { instructions, prompt, stream = false } = options;
  if (typeof stream !== "boolean") refuse(`stream: expected true or false, got ${JSON.stringify(stream)}.`);
  if (typeof instructions !== "string" && typeof instructions !== "function")
    refuse(`instructions: expected a text or a function that gives one, got ${kindOf(instructions)}.`);
  if (prompt !== undefined && typeof prompt !== "function")
    refuse(`prompt: expected a function that gives a text, got ${kindOf(prompt)}.`);
  const { onUnknown = "tell" } = options;
  if (!ON_UNKNOWN.includes(onUnknown) || (onUnknown as OnUnknown) === "verify")
    refuse(
      `onUnknown: expected tell, ask or fail, got ${JSON.stringify(onUnknown)}. verify is an option of a tool: it needs to know how.`,
    );
  const { atLimit = "answer" } = options;
  if (!AT_LIMIT.includes(atLimit))
    refuse(`atLimit: expected one of ${AT_LIMIT.join(", ")}, got ${JSON.stringify(atLimit)}.`);
  const { needsApproval = false, approvalExpiresAfterMs: approvalMs = APPROVAL_MS } = options;
  checkNeedsApproval(needsApproval, "needsApproval", refuse);
  if (!Number.isFinite(approvalMs) || approvalMs <= 0)
    refuse(`approvalExpiresAfterMs: expected a positive number of milliseconds, got ${String(approvalMs)}.`);
  const made: Agent = {
    name: options.name,
    ...models,
    stream,
    instructions: typeof instructions === "string" ? () => instructions : (instructions as Agent["instructions"]),
    prompt: (prompt as Agent["prompt"] | undefined) ?? (({ input }) => JSON.stringify(input)),
    connections: uniqueNames(options.connections ?? [], "connections", refuse),
    tools: completeTools(options.tools ?? [], refuse),
    onUnknown,
    needsApproval,
    approvalMs,
    input: options.input,
    output: options.output,
    limits: completeLimits(options.limits, whose),
    atLimit,
    queue,
    ...(perIdentifier !== undefined && { perIdentifier }),
    expiresAfterMs,
  };
  for (const tool of made.tools)
    if ("connection" in tool && typeof tool.connection === "string" && !made.connections.includes(tool.connection))
      refuse(
        `tools: ${tool.name} acts on the account of ${JSON.stringify(tool.connection)}: add it to connections, so that runs wait for it.`,
      );
  const shown = made.tools.filter(({ hidden }) => hidden !== true).length;
  if (shown > MOST_TOOLS)
    refuse(
      `tools: expected at most ${MOST_TOOLS}, got ${shown}: model providers refuse more. Name the ones that the agent needs.`,
    );
  return Object.freeze(made) as ReturnType<typeof agent<I, O>>;
}

function checkSchema(what: string, schema: Schema | undefined, refuse: (message: string) => never): void {
  if (schema === undefined && what === "output") return;
  const standard = schema?.["~standard"];
  if (typeof standard?.validate !== "function" || typeof standard.jsonSchema?.input !== "function")
    refuse(
      `${what}: expected a schema with the Standard Schema and Standard JSON Schema interfaces, such as zod 4.2 or newer: z.object({ … }).`,
    );
}

function completeTools(given: readonly (string | ToolUse)[], refuse: (message: string) => never): ToolUse[] {
  checkList(given, "tools", refuse);
  const tools = given.map((tool) => (typeof tool === "string" ? { name: tool } : tool));
  uniqueNames(
    tools.map((tool: ToolUse | null) => tool?.name as string),
    "tools",
    refuse,
  );
  const all = [...tools, ...hiddenOf(tools, refuse)];
  const names = all.map((tool) => tool.name);
  for (const tool of all) checkToolUse(tool, names, refuse);
  return all;
}

/** What the tools call by themselves, and what those call: the run needs it, the model does not see it. */
function hiddenOf(tools: readonly ToolUse[], refuse: (message: string) => never): ToolUse[] {
  const known = new Map(tools.map((tool) => [tool.name, tool]));
  const hidden: ToolUse[] = [];
  for (let left = [...tools]; left.length > 0;) {
    const used = left.flatMap(({ name, uses = [] }) => {
      checkList(uses, `tools: ${name}: uses`, refuse);
      return uses.map((use) => (typeof use === "string" ? { name: use } : use));
    });
    left = [];
    for (const use of used) {
      if (typeof use?.name !== "string" || use.name === "")
        refuse(`tools: uses: expected names or definitions of tools, got ${kindOf(use)}.`);
      const other = known.get(use.name);
      if (other !== undefined && sourceOf(other) !== sourceOf(use) && use.source !== undefined)
        refuse(`tools: "${use.name}" is taken from ${sourceOf(other)} and from ${sourceOf(use)}: rename one of them.`);
      if (other !== undefined) continue;
      known.set(use.name, use);
      hidden.push({ ...use, hidden: true });
      left.push(use);
    }
  }
  return hidden;
}

function uniqueNames(names: readonly string[], what: string, refuse: (message: string) => never): readonly string[] {
  checkList(names, what, refuse);
  for (const [i, name] of names.entries()) {
    if (typeof name !== "string" || name === "")
      refuse(`${what}: expected names, got ${name === "" ? "an empty text" : kindOf(name)}.`);
    if (names.indexOf(name) !== i) refuse(`${what}: "${name}" is named twice.`);
  }
  return [...names];
}

function checkList(value: unknown, what: string, refuse: (message: string) => never): void {
  if (!Array.isArray(value)) refuse(`${what}: expected a list of names, got ${kindOf(value)}.`);
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
}
