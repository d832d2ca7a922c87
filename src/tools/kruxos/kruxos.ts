/** `kruxos()`: the capabilities of a KruxOS gateway as tools of an agent. */
import type { Effect } from "../../core/effects.ts";
import { ErrandError } from "../../core/errors.ts";
import { type OptionNames, strayOption } from "../../core/option-names.ts";
import { type AllOf, TOOL_USE, type ToolDefinition, type ToolUse } from "../../core/tool-use.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ToolSource } from "../../ports/toolbox.ts";
import { createServedSource, type ServedOptions } from "../served.ts";
import { createGateway, type GatewayOptions } from "./gateway.ts";
import { functionName } from "./names.ts";

export interface KruxosOptions {
  /** Tells gateways apart, in journals for ever; default `kruxos`. Letters, digits, `-`. */
  readonly name?: string;
  /** Where the gateway listens, such as `http://localhost:7700`. */
  readonly url: string;
  /** The agent's key: 64 hexadecimal characters, as `kruxos agent create` prints it. */
  readonly apiKey: string;
  /** Only capabilities of these categories, such as `filesystem`. */
  readonly categories?: readonly string[];
  /** ms for a question about capabilities; default 10,000. Calls have `limits.toolTimeoutMs`. */
  readonly timeoutMs?: number;
}

export interface Kruxos {
  /** One capability, by KruxOS' name (`filesystem.read`). Without an effect it is what the app's review says, or `unsafe`. */
  tool(
    capability: string,
    options?: { readonly effect?: Effect } & Omit<ToolUse, "name" | "source" | "effect">,
  ): KruxosTool;
  /** All that the gateway lets this agent use; at most 100. What is said of it holds for each that is not named beside it. */
  all(options?: Omit<ToolUse, "name" | "source">): KruxosTool & AllOf;
}

/** Made by `kruxos`. */
export interface KruxosTool extends ToolDefinition {
  readonly gateway: GatewayOptions;
}

const OPTIONS: OptionNames<KruxosOptions> = { name: true, url: true, apiKey: true, categories: true, timeoutMs: true };

/** @throws ErrandError `config-invalid`, `tool-invalid` */
export function kruxos(options: KruxosOptions): Kruxos {
  const { name = "kruxos", url, apiKey, categories, timeoutMs = 10_000 } = options;
  const refuse = (message: string): never => {
    throw new ErrandError("config-invalid", `kruxos: ${message}`);
  };
  const stray = strayOption(options, OPTIONS);
  if (stray !== undefined) refuse(stray);
  if (!/^[a-z0-9-]{1,32}$/i.test(name))
    refuse(`name: expected 1 to 32 letters, digits or '-', got ${JSON.stringify(name)}.`);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    refuse('url: expected the gateway\'s address, such as "http://localhost:7700".');
  if (typeof apiKey !== "string" || !/^[0-9a-f]{64}$/i.test(apiKey))
    refuse(
      "apiKey: expected the 64 hexadecimal characters that `kruxos agent create` prints; user tokens (krx_user_…) do not work here.",
    );
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0))
    refuse(`timeoutMs: expected milliseconds, got ${String(timeoutMs)}.`);
  const source = name === "kruxos" ? "kruxos" : `kruxos:${name}`;
  const gateway = { source, url, apiKey: () => apiKey, timeoutMs, ...(categories !== undefined && { categories }) };
  return {
    tool(capability, use = {}) {
      const told = functionName(capability);
      if (told === undefined)
        throw new ErrandError(
          "tool-invalid",
          `kruxos: ${JSON.stringify(capability)} is no capability that can be a function: expected a name such as "filesystem.read".`,
        );
      const strange = strayOption(use, TOOL_USE);
      if (strange !== undefined) refuse(`tool ${JSON.stringify(capability)}: ${strange}`);
      return { ...use, name: told, source, gateway };
    },
    all: (use = {}) => {
      const strange = strayOption(use, TOOL_USE);
      if (strange !== undefined) refuse(`all: ${strange}`);
      return { ...use, name: `${source}:*`, source, gateway, all: true };
    },
  };
}

export function isKruxosTool(use: ToolUse): use is KruxosTool {
  return "gateway" in use && (use.source === "kruxos" || use.source?.startsWith("kruxos:") === true);
}

/** @throws ErrandError `config-invalid` for two gateways of one name */
export function openKruxos(
  uses: readonly ToolUse[],
  options: ServedOptions,
  clock: Pick<Clock, "monotonic">,
): readonly ToolSource[] {
  const gateways = new Map<string, GatewayOptions>();
  for (const { gateway } of uses.filter(isKruxosTool)) {
    const other = gateways.get(gateway.source);
    if (other !== undefined && (other.url !== gateway.url || other.apiKey() !== gateway.apiKey()))
      throw new ErrandError(
        "config-invalid",
        `kruxos: two gateways are called ${gateway.source}: give each a name of its own.`,
      );
    gateways.set(gateway.source, gateway);
  }
  return [...gateways.values()].map((gateway) => createServedSource(createGateway(gateway, clock), options));
}
