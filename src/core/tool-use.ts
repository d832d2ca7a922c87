/** How an agent uses a tool: what it does to the world, and what is done when nobody knows whether a call was executed. */
import { checkNeedsApproval, type NeedsApproval } from "./needs-approval.ts";
import { type Effect, EFFECTS, ON_UNKNOWN, type OnUnknown } from "./effects.ts";
import { didYouMean } from "./nearest.ts";
import type { Json } from "./json.ts";
import { type OptionNames, strayOption } from "./option-names.ts";
import type { FrozenTool } from "./run.ts";

/** Scalekit's own tools: the source of every tool that names none. */
export const SCALEKIT = "scalekit";

/** Functions of the app. */
export const LOCAL = "local";

/** A tool that an agent may use. Whatever nobody says of it is taken from the reviewed manifest; without one it is `unsafe`. */
export interface ToolUse {
  readonly name: string;
  /** Where the tool comes from; default `scalekit`. What makes a definition (`tool()`, …) sets it. */
  readonly source?: string;
  readonly effect?: Effect;
  /** The model does not see it: only other tools call it, or a look does. */
  readonly hidden?: boolean;
  /** Which of its calls need a person's word before they are made; default what the agent says. */
  readonly needsApproval?: NeedsApproval;
  /** What it reads comes from the app itself: no reason for `needsApproval: "after-reads"`. */
  readonly trusted?: boolean;
  /** Tools that this one calls by itself (`ctx.tools.execute`). The agent needs them; the model sees only those that it names itself. */
  readonly uses?: readonly (string | ToolUse)[];
  /** ms for one call; default the agent's limit `toolTimeoutMs`. */
  readonly timeoutMs?: number;
  /** When nobody can know whether a call was executed; default the agent's. `verify` needs the option `verify`. */
  readonly onUnknown?: OnUnknown;
  /**
   * Our key, for providers that drop repeats: the same for every attempt of one call, different for any other. A text names the
   * argument that carries it, which the model then does not see; a function puts it where it belongs, such as into a body.
   */
  readonly key?: string | ((args: Json, key: string) => Json);
  /** ms after the first attempt during which the provider drops repeats; default 8 hours. */
  readonly keyWindowMs?: number;
  /** How to find out whether a call was executed. Needed for `staged` and `verifiable`. */
  readonly verify?: Verify;
  /** Asked again and again on purpose, until something has changed: its calls are no loop. */
  readonly polling?: boolean;
}

/**
 * A tool that the app's code brings along, as `tool()` and its like make them: it says which source makes the call, and carries
 * whatever that source needs to know, such as the function to execute.
 */
export interface ToolDefinition extends ToolUse {
  readonly source: string;
  /** The connection whose account its calls act on; the agent must have it among its own, so that its runs wait for it. */
  readonly connection?: string;
}

export function sourceOf({ source = SCALEKIT }: { readonly source?: string | undefined }): string {
  return source;
}

/** A use that stands for all tools of its source, or for those that it offers this user. */
export interface AllOf extends ToolDefinition {
  readonly all: true;
}

export function isAllOf(use: ToolUse): use is AllOf {
  return "all" in use && use.all === true;
}

/** What an agent says of a tool: by its name, or else of all tools of its source. */
export function useOf(
  uses: readonly ToolUse[],
  { name, source }: { readonly name: string; readonly source?: string | undefined },
): ToolUse | undefined {
  return (
    uses.find((use) => use.name === name) ?? uses.find((use) => isAllOf(use) && sourceOf(use) === sourceOf({ source }))
  );
}

/** A look with another tool of the agent, whose effect must be `read`. */
export interface Verify {
  readonly tool: string;
  /** The arguments of the look. */
  readonly args: (doubt: CallInDoubt) => Json;
  /** Nothing when the answer does not tell: then nobody knows. */
  readonly happened: (answer: LookAnswer, doubt: CallInDoubt) => boolean | undefined;
  /** ms after the call's deadline after which a look can be trusted to see what happened; default 0. */
  readonly settleMs?: number;
}

export interface CallInDoubt {
  readonly identifier: string;
  readonly tool: string;
  /** As they were sent. */
  readonly args: Json;
  /** The call's key, also for a tool that was not given it. */
  readonly key: string;
}

export type LookAnswer =
  | { readonly ok: true; readonly data: Json }
  /** A definite error of the provider's, such as "not found". */
  | { readonly ok: false; readonly type: string; readonly message: string };

/** The key of a call: no attempt and no time is in it, and nobody can guess it without the run's id, which is random. */
export function callKey(hash: (text: string) => string, run: string, call: string, tool: string): string {
  return hash(`${run}|${call}|${tool}`);
}

/** An hour, as for the limit `toolTimeoutMs`. */
export const MOST_TOOL_MS = 3_600_000;

export const TOOL_USE: OptionNames<ToolUse> = {
  name: true,
  source: true,
  effect: true,
  hidden: true,
  needsApproval: true,
  trusted: true,
  uses: true,
  timeoutMs: true,
  onUnknown: true,
  key: true,
  keyWindowMs: true,
  verify: true,
  polling: true,
};

/** @param refuse throws, with what was expected */
export function checkToolUse(use: ToolUse, names: readonly string[], refuse: (message: string) => never): void {
  const { name, source, effect, onUnknown, key, keyWindowMs, verify } = use;
  const wrong = (what: string): never => refuse(`tools: ${name}: ${what}`);
  // A definition carries what its source needs to know, and was checked where it was made.
  const stray = source === undefined ? strayOption(use, TOOL_USE) : undefined;
  if (stray !== undefined) wrong(stray);
  if (source !== undefined && (typeof source !== "string" || source === ""))
    wrong(`source: expected the name of a source of tools, got ${JSON.stringify(source)}.`);
  if (effect !== undefined && !EFFECTS.includes(effect))
    wrong(`effect: expected one of ${EFFECTS.join(", ")}, got ${JSON.stringify(effect)}.`);
  if (onUnknown !== undefined && !ON_UNKNOWN.includes(onUnknown))
    wrong(`onUnknown: expected one of ${ON_UNKNOWN.join(", ")}, got ${JSON.stringify(onUnknown)}.`);
  for (const what of ["hidden", "polling", "trusted"] as const)
    if (use[what] !== undefined && typeof use[what] !== "boolean")
      wrong(`${what}: expected true or false, got ${JSON.stringify(use[what])}.`);
  if (key !== undefined && typeof key !== "function" && (typeof key !== "string" || key === ""))
    wrong("key: expected the name of the argument that carries our key, or a function (args, key) => args.");
  if (effect === "keyed" && key === undefined)
    wrong(
      'effect: "keyed" needs key: the name of the argument that carries our key, or a function that puts it there.',
    );
  if (use.needsApproval !== undefined) checkNeedsApproval(use.needsApproval, "needsApproval", wrong);
  if (
    use.timeoutMs !== undefined &&
    !(Number.isInteger(use.timeoutMs) && use.timeoutMs > 0 && use.timeoutMs <= MOST_TOOL_MS)
  )
    wrong(`timeoutMs: expected a whole number of ms from 1 to ${MOST_TOOL_MS}, got ${String(use.timeoutMs)}.`);
  for (const [what, ms] of [["keyWindowMs", keyWindowMs] as const, ["verify.settleMs", verify?.settleMs] as const])
    if (ms !== undefined && !(Number.isFinite(ms) && ms >= 0))
      wrong(`${what}: expected a number of milliseconds, got ${String(ms)}.`);
  if ((effect === "staged" || effect === "verifiable" || onUnknown === "verify") && verify === undefined)
    wrong(
      `${onUnknown === "verify" ? "onUnknown" : "effect"}: "${onUnknown === "verify" ? "verify" : effect}" needs verify: { tool, args, happened }, a look with a reading tool.`,
    );
  if (verify === undefined) return;
  if (typeof verify.args !== "function" || typeof verify.happened !== "function")
    wrong(
      "verify: expected { tool, args: (doubt) => arguments, happened: (answer, doubt) => true, false or undefined }.",
    );
  if (verify.tool === name || !names.includes(verify.tool))
    wrong(
      `verify.tool: expected another tool of this agent, got ${JSON.stringify(verify.tool)}.${didYouMean(String(verify.tool), names)} Add it to tools.`,
    );
}

/**
 * The tools as a run keeps them. What an effect needs and the agent does not give (a key, a look, a look that only reads) makes the
 * tool `unsafe`: never more is promised than can be kept.
 */
export function freezeUses(
  tools: readonly FrozenTool[],
  uses: readonly ToolUse[],
  onUnknown: OnUnknown,
): readonly FrozenTool[] {
  const effects = new Map(tools.map((tool) => [tool.name, tool.effect]));
  return tools.map((tool) => {
    const use = useOf(uses, tool);
    const canLook = use?.verify !== undefined && effects.get(use.verify.tool) === "read";
    const asked = use?.onUnknown ?? onUnknown;
    return Object.assign({}, tool, {
      effect: kept(tool.effect, use?.key !== undefined, canLook),
      onUnknown: asked === "verify" && !canLook ? ("tell" as const) : asked,
      ...(typeof use?.key === "string" && {
        parameters: withoutArgument(tool.parameters, use.key),
        keyArgument: use.key,
      }),
      ...(use?.polling === true && { polling: true }),
      ...(use?.hidden === true && { hidden: true }),
      ...(use?.trusted === true && { trusted: true }),
      ...(use?.timeoutMs !== undefined && { timeoutMs: use.timeoutMs }),
      ...(use?.keyWindowMs !== undefined && { keyWindowMs: use.keyWindowMs }),
      ...(use?.verify?.settleMs !== undefined && { settleMs: use.verify.settleMs }),
    });
  });
}

function kept(effect: Effect, hasKey: boolean, canLook: boolean): Effect {
  if (effect === "keyed" && !hasKey) return "unsafe";
  if ((effect === "staged" || effect === "verifiable") && !canLook) return "unsafe";
  return effect;
}

function withoutArgument(schema: FrozenTool["parameters"], name: string): FrozenTool["parameters"] {
  const { properties, required, ...rest } = schema;
  const { [name]: _hidden, ...shown } = (properties ?? {}) as Record<string, Json>;
  const needed = Array.isArray(required) ? (required as string[]).filter((one) => one !== name) : [];
  return { ...rest, properties: shown, ...(needed.length > 0 && { required: needed }) };
}
