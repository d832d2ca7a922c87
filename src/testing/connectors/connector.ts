/**
 * A connector: the tools of one provider (gmail, slack, …) and the world they act on, one world per user. The emulator
 * knows connectors only by this file; apps can define their own.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { ToolFailure } from "./failure.ts";

/** Whose world it is. */
export interface Owner {
  readonly identifier: string;
  /** Name of the configured connection. */
  readonly connection: string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface ToolSpec<World> {
  readonly name: string;
  readonly description: string;
  /** JSON Schemas of the parameters, by name. */
  readonly parameters: Readonly<Record<string, JsonObject>>;
  readonly required?: readonly string[];
  /** Scopes of which the account must have been granted one. Default: none needed. */
  readonly scopes?: readonly string[];
  /** Whether the tool also takes `schema_version` and `tool_version`, as many real ones do. */
  readonly versioned?: boolean;
  /**
   * Does the work and answers the `data` of ExecuteTool. The input has its required parameters; read it with the
   * helpers of input.ts.
   * @throws ToolFailure what the provider answers instead
   */
  run(input: JsonObject, world: World): JsonObject | Promise<JsonObject>;
}

export interface ProxyRequest {
  readonly method: string;
  /** Path and query behind `/proxy`, untouched. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The body as it came, for what is no text. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface ProxyAnswer {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ConnectorSpec<World> {
  /** Lower case, as in tool names: `gmail`. */
  readonly name: string;
  /** Scalekit's provider key. Default: the name in capitals. */
  readonly provider?: string;
  /** For people: `Gmail`. */
  readonly title: string;
  /** What the consent page asks for, and what a connected account is granted. */
  readonly scopes: readonly string[];
  readonly tools: readonly ToolSpec<World>[];
  /** A new user's world. Called once per connection and identifier. */
  world(owner: Owner): World;
  /** The provider's own API, for `actions.request`. Without it the proxy answers 501. */
  proxy?(request: ProxyRequest, world: World): ProxyAnswer | Promise<ProxyAnswer>;
}

/** One tool as the lists show it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  /** One of them is needed; none if empty. */
  readonly scopes: readonly string[];
}

/** A user's world, opened. */
export interface OpenWorld {
  readonly world: unknown;
  run(tool: string, input: JsonObject): Promise<JsonObject>;
  proxy(request: ProxyRequest): Promise<ProxyAnswer>;
}

/** A connector whose kind of world is its own affair. Made by `defineConnector`. */
export interface Connector {
  readonly name: string;
  readonly provider: string;
  readonly title: string;
  readonly scopes: readonly string[];
  readonly tools: readonly ToolDefinition[];
  open(owner: Owner): OpenWorld;
}

export function defineConnector<World>(spec: ConnectorSpec<World>): Connector {
  const tools = new Map(spec.tools.map((tool) => [tool.name, tool]));
  return {
    name: spec.name,
    provider: spec.provider ?? spec.name.toUpperCase(),
    title: spec.title,
    scopes: spec.scopes,
    tools: spec.tools.map(definition),
    open(owner) {
      const world = spec.world(owner);
      return {
        world,
        async run(name, input) {
          const tool = tools.get(name);
          if (tool === undefined) throw new ToolFailure(404, "NOT_FOUND", `no such tool: ${name}`);
          return await tool.run(input, world);
        },
        async proxy(request) {
          return (
            (await spec.proxy?.(request, world)) ?? {
              status: 501,
              json: { error: `${spec.name} has no proxy handler` },
            }
          );
        },
      };
    },
  };
}

const VERSIONS: Readonly<Record<string, JsonObject>> = {
  schema_version: { type: "string", description: "Optional schema version to use for tool execution" },
  tool_version: { type: "string", description: "Optional tool version to use for execution" },
};

function definition<World>(tool: ToolSpec<World>): ToolDefinition {
  const properties: JsonObject = { ...tool.parameters, ...(tool.versioned === true ? VERSIONS : {}) };
  const inputSchema: JsonObject = { type: "object", properties, required: [...(tool.required ?? [])] };
  return { name: tool.name, description: tool.description, inputSchema, scopes: tool.scopes ?? [] };
}
