import type { ToolUse } from "../core/tool-use.ts";
import type { Json } from "../core/json.ts";
import type { Outcome } from "../core/outcome.ts";
import type { FrozenTool } from "../core/run.ts";
import type { ReviewedUse } from "../core/review.ts";
import type { Looked, Outage } from "./accounts.ts";

export interface ToolQuery {
  readonly identifier: string;
  readonly connections: readonly string[];
  readonly tools: readonly ToolUse[];
}

export type Listed =
  /**
   * `missing`: names asked for that this user's accounts do not offer. `known`: all names they do offer. `changed`: names that they
   * offer with another definition than the app has reviewed; they are disabled, and not among `tools`. `clashing`: names that two
   * sources offer, each with its sources; a run cannot tell them apart.
   */
  | {
      readonly ok: true;
      readonly tools: readonly FrozenTool[];
      readonly missing: readonly string[];
      readonly known: readonly string[];
      readonly changed: readonly string[];
      readonly clashing?: readonly string[];
    }
  | Outage;

export interface ToolSend {
  /** For the provider's log: which run and call this was. */
  readonly run: string;
  readonly call: string;
  readonly tool: string;
  readonly args: Json;
  /** Empty for a tool that needs no account. */
  readonly connection: string;
  /** Of the frozen tool; absent: Scalekit. */
  readonly source?: string;
  /** Of the frozen tool: no other version may be called. */
  readonly version?: string;
  /** The run's. Never from the model. */
  readonly identifier: string;
  /** `ref` of the call's last attempt, if that was not executed and left one. */
  readonly resume?: string;
  /** The call's: the same for every attempt of it, different for any other. */
  readonly key?: string;
  /** Redis ms of its first attempt. */
  readonly startedAt?: number;
}

export interface SendOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** For a tool that runs in this process. */
  readonly host?: ToolHost;
}

/** What a tool that runs in this process may ask of its run, for as long as its call is under way. Never rejects. */
export interface ToolHost {
  /**
   * Makes a call of another tool of the run, with its own intent and evidence in the journal; or answers what that call has left when
   * the tool ran before. Reads run side by side, other calls one after the other, in the order in which they are asked for.
   */
  execute(call: SubCall): Promise<SubAnswer>;
  /** How the user's accounts stand now, on the run's connections. */
  accounts(): Promise<Looked>;
}

export interface SubCall {
  readonly tool: string;
  readonly args: unknown;
  /** Scalekit's id of the account to use: it must be the one that the run has for the tool's connection. */
  readonly account?: string;
  /** What the tool calls it, for calls whose arguments may differ when it runs again. */
  readonly name?: string;
}

/** `suspended`: the call has to wait. The tool is stopped here, and runs again when the wait is over; whatever it answers now is not used. */
export type SubAnswer =
  | { readonly ok: true; readonly data: Json }
  | { readonly ok: false; readonly type: string; readonly message: string; readonly retryable: boolean }
  | { readonly ok: false; readonly suspended: true };

/**
 * The tools of a run, whoever makes them: the registry, or one source of tools behind it (src/tools/registry.ts).
 * Contract: never throws.
 */
export interface Toolbox {
  list(query: ToolQuery): Promise<Listed>;
  /** Problems of `args` against the tool's schema, each with its path; empty when they fit. */
  check(tool: FrozenTool, args: Json): readonly string[];
  /** Sends at most once: no retry anywhere below. What cannot be told apart from "executed" is `unknown`. */
  send(call: ToolSend, options: SendOptions): Promise<Outcome>;
  /** All names that need no user to be known, for the check at boot. Of sources with `offers` that is asked instead. */
  names(): Promise<{ readonly ok: true; readonly names: readonly string[] } | Outage>;
}

/**
 * One kind of tools. It is asked only for uses that name it, and only for calls of tools that it froze; what it freezes says its name
 * as `source`. A use may stand for several tools (all of a server's): then more are listed than were named.
 */
export interface ToolSource extends Toolbox {
  /** Stands in journals for ever: `scalekit`, `local`, `proxy`, `mcp:<server>`, … */
  readonly name: string;
  /**
   * The definitions behind the uses, for a person's review: of sources whose tools somebody else defines. Executes nothing. Without an
   * identifier as any user would see them; `why: "no-user"` where each sees their own.
   */
  offers?(query: { readonly identifier: string | undefined; readonly tools: readonly ToolUse[] }): Promise<Offers>;
  close?(): Promise<void>;
}

export type Offers =
  | {
      readonly ok: true;
      /** One without `seen` is not offered. */
      readonly uses: readonly ReviewedUse[];
      /** All names of the source. */
      readonly known: readonly string[];
    }
  | { readonly ok: false; readonly why: Outage["why"] | "no-user"; readonly message: string };
