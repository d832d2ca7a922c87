/** A provider's own API as a table of routes, for `actions.request` and proxy tools. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ProxyAnswer, ProxyRequest } from "./connector.ts";
import { ToolFailure } from "./failure.ts";

export interface Route<World> {
  /** `POST /repos/{owner}/{repo}/issues`. A name in braces takes one segment, decoded. */
  readonly at: string;
  /**
   * @param given what stands in the path, the query and the body (JSON or a form), under one name each
   * @throws ToolFailure what the provider answers instead
   */
  answer(given: JsonObject, world: World, request: ProxyRequest): JsonValue | Promise<JsonValue>;
  /** Default 200. */
  readonly status?: number;
}

/** @param failure what this provider's errors look like */
export function proxyRoutes<World>(
  routes: readonly Route<World>[],
  failure: (error: ToolFailure) => JsonValue,
): (request: ProxyRequest, world: World) => Promise<ProxyAnswer> {
  return async (request, world) => {
    try {
      const url = new URL(request.path, "http://provider.invalid");
      const segments = url.pathname.slice(1).split("/").map(decoded);
      for (const route of routes) {
        const found = match(route.at, request.method, segments);
        if (found === undefined) continue;
        const json = await route.answer(
          { ...fieldsOf(url.searchParams), ...bodyOf(request), ...found },
          world,
          request,
        );
        return { status: route.status ?? 200, json };
      }
      throw new ToolFailure(404, "NOT_FOUND", "Not Found");
    } catch (error) {
      if (!(error instanceof ToolFailure)) throw error;
      return { status: error.status, json: failure(error) };
    }
  };
}

function match(at: string, method: string, segments: readonly string[]): JsonObject | undefined {
  const [verb = "", path = ""] = at.split(" ");
  const wanted = path.slice(1).split("/");
  if (verb !== method || wanted.length !== segments.length) return undefined;
  const found: JsonObject = {};
  for (const [i, part] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined) found[name] = segments[i] ?? "";
    else if (part !== segments[i]) return undefined;
  }
  return found;
}

/** A name that comes twice is a list. */
function fieldsOf(searchParams: URLSearchParams): JsonObject {
  const found: JsonObject = {};
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name);
    found[name] = values.length > 1 ? values : (values[0] ?? "");
  }
  return found;
}

function bodyOf({ body, headers }: ProxyRequest): JsonObject {
  if (body === "") return {};
  if (headers["content-type"] === "application/x-www-form-urlencoded") return fieldsOf(new URLSearchParams(body));
  try {
    const value = JSON.parse(body) as JsonValue;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    throw new ToolFailure(400, "INVALID_ARGUMENT", "Problems parsing JSON");
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
