/**
 * A KruxOS gateway (seed 003): its capabilities as tools, over HTTP JSON-RPC.
 *
 * K1 A call goes out once. One that waits for an approval is asked after, not made again; approved, it is made once, unless the gateway
 *    made it itself and tells the result.
 * K2 The key travels in a header to the configured address only, and stands in no log, error or journal.
 */
import { isObject } from "../../core/json.ts";
import type { Outcome } from "../../core/outcome.ts";
import { safeText } from "../../core/safe-text.ts";
import type { Outage } from "../../ports/accounts.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SendOptions, ToolSend } from "../../ports/toolbox.ts";
import { rpc, type RpcAnswer } from "../rpc.ts";
import { type Served, type ServedTool, servedTool, type ToolServer } from "../served.ts";
import { dataOf, errorIn, ofError, ofProtocol, pending, pendingIn } from "./failure.ts";
import { capabilityName, functionName } from "./names.ts";
import { schemaOf } from "./schema.ts";

export interface GatewayOptions {
  readonly source: string;
  /** `http://localhost:7700`. */
  readonly url: string;
  /** A function, so that no log of a definition has the key. */
  readonly apiKey: () => string;
  /** Only these categories; default all. */
  readonly categories?: readonly string[];
  readonly timeoutMs: number;
}

const KEPT_MS = 30_000;
/** The gateway's documents tell no name for it over HTTP; these are the Python SDK's and the MCP endpoint's. */
const ASK_APPROVAL = ["approvals.check", "kruxos/checkApproval"] as const;

export function createGateway(options: GatewayOptions, clock: Pick<Clock, "monotonic">): ToolServer {
  const { source, url, apiKey, categories, timeoutMs } = options;
  const target = { url: `${url.replace(/\/+$/, "")}/rpc`, headers: { authorization: `Bearer ${apiKey()}` } };
  let kept: { readonly found: Promise<Served>; readonly until: number } | undefined;

  const ask = async (category: string | undefined): Promise<Served> => {
    const answer = await rpc(target, "capabilities.list", category === undefined ? {} : { category }, { timeoutMs });
    return answer.is === "result" ? { ok: true, tools: toolsIn(answer.result) } : outageOf(answer);
  };
  const find = async (): Promise<Served> => {
    const all = await Promise.all((categories ?? [undefined]).map(ask));
    const outage = all.find((served) => !served.ok);
    if (outage !== undefined) return outage;
    const tools = new Map(all.flatMap((served) => (served.ok ? served.tools : [])).map((tool) => [tool.name, tool]));
    return { ok: true, tools: [...tools.values()] };
  };

  return {
    name: source,
    // The key is the app's: all its users see the same capabilities.
    list() {
      if (kept !== undefined && clock.monotonic() < kept.until) return kept.found;
      const entry = { found: find(), until: clock.monotonic() + KEPT_MS };
      kept = entry;
      void entry.found.then((served) => {
        if (!served.ok && kept === entry) kept = undefined;
      });
      return entry.found;
    },
    async call(call, limits) {
      if (call.resume !== undefined) {
        const asked = await askApproval(target, call.resume, limits);
        if (asked.is === "outcome") return asked.outcome;
        return invoke(target, call, limits, call.resume);
      }
      return invoke(target, call, limits);
    },
  };
}

type Target = Parameters<typeof rpc>[0];
type Limits = Pick<SendOptions, "timeoutMs" | "signal">;

/** @param approval was given: the gateway must not ask for another one */
async function invoke(target: Target, call: ToolSend, limits: Limits, approval?: string): Promise<Outcome> {
  const params = {
    capability: capabilityName(call.tool),
    arguments: call.args,
    ...(approval !== undefined && { approval_id: approval }),
  };
  const answer = await rpc(target, "capabilities.invoke", params, limits);
  const outcome = outcomeOf(answer);
  if (approval === undefined || outcome.kind !== "not-executed" || outcome.why !== "approval") return outcome;
  const message = "It was approved, and the gateway asks for an approval again; it was not executed.";
  return { kind: "error", type: "ApprovalLost", message, retryable: false };
}

type Approval = { readonly is: "approved" } | { readonly is: "outcome"; readonly outcome: Outcome };

async function askApproval(target: Target, id: string, limits: Limits): Promise<Approval> {
  const outcome = (it: Outcome): Approval => ({ is: "outcome", outcome: it });
  const still = (why: string): Approval => outcome(pending(id, why));
  let answer: RpcAnswer = { is: "broken", message: "not asked" };
  for (const method of ASK_APPROVAL) {
    answer = await rpc(target, method, { approval_id: id }, limits);
    if (answer.is !== "error" || answer.code !== -32_601) break;
  }
  // Only the question failed: nothing is known to have happened, and nothing is made.
  if (answer.is !== "result") return still(`the gateway does not tell about approval ${safeText(id)} just now`);
  const result = isObject(answer.result) ? answer.result : {};
  switch (result["status"]) {
    case "approved":
      // Some gateways make the call themselves.
      for (const name of ["result", "data"])
        if (result[name] !== undefined && result[name] !== null)
          return outcome(
            outcomeOf({ is: "result", result: name === "data" ? { success: true, data: result[name] } : result[name] }),
          );
      return { is: "approved" };
    case "rejected":
    case "denied":
      return outcome({
        kind: "error",
        type: "ApprovalRejected",
        message: said(result, "The supervisor said no."),
        retryable: false,
      });
    case "expired":
    case "timed_out":
      return outcome({
        kind: "error",
        type: "ApprovalExpired",
        message: said(result, "Nobody approved it in time."),
        retryable: false,
      });
    default:
      return still("waits for an approval at KruxOS");
  }
}

function said(result: Readonly<Record<string, unknown>>, otherwise: string): string {
  const reason = result["reason"] ?? result["message"];
  return safeText(typeof reason === "string" && reason !== "" ? `${otherwise} ${reason}` : otherwise);
}

function outcomeOf(answer: RpcAnswer): Outcome {
  switch (answer.is) {
    case "unsent":
      return { kind: "not-executed", why: "unavailable", message: safeText(`KruxOS: ${answer.message}`) };
    case "broken":
      return { kind: "unknown", message: safeText(`KruxOS: ${answer.message}`) };
    case "status":
      return ofStatus(answer);
    case "error":
      return ofProtocol(answer.code, answer.message, answer.data);
    case "result": {
      const id = pendingIn(answer.result);
      if (id !== undefined) return pending(id, "waits for an approval at KruxOS");
      const error = errorIn(answer.result);
      return error === undefined ? { kind: "ok", data: dataOf(answer.result) } : ofError(error);
    }
  }
}

function ofStatus({ status, retryAfterMs }: Extract<RpcAnswer, { is: "status" }>): Outcome {
  const message = `KruxOS answered HTTP ${status}`;
  if (status === 401 || status === 403) return { kind: "not-executed", why: "credentials", message };
  if (status === 429)
    return { kind: "not-executed", why: "rate-limit", message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (status === 404)
    return { kind: "not-executed", why: "credentials", message: `${message}: check the gateway's url` };
  return { kind: "unknown", message };
}

function outageOf(answer: RpcAnswer): Outage {
  const outcome = outcomeOf(answer);
  const ours = outcome.kind === "not-executed" && outcome.why === "credentials";
  const message = safeText(
    `KruxOS does not list its capabilities: ${"message" in outcome ? outcome.message : "no list came"}`,
  );
  return { ok: false, why: ours ? "credentials" : "unavailable", message };
}

/** Blocked capabilities cannot be called; those without a function name cannot be told apart. */
function toolsIn(result: unknown): ServedTool[] {
  const list: unknown = isObject(result) ? result["capabilities"] : result;
  return (Array.isArray(list) ? list : []).filter(isObject).flatMap((definition) => {
    const { name, purpose, description, when_to_use: when } = definition;
    const tier = definition["permission_tier"] ?? definition["tier"];
    const told = typeof name === "string" ? functionName(name) : undefined;
    if (told === undefined || tier === "blocked") return [];
    const parts = [purpose ?? description, when, TIERS[String(tier)]].filter((part) => typeof part === "string");
    // What stands before the last dot is its category.
    const own = String(name).slice(String(name).lastIndexOf(".") + 1);
    return [servedTool(told, parts.join(" "), schemaOf(definition), own)];
  });
}

/** What a model should know of a tier. */
const TIERS: Readonly<Record<string, string>> = {
  notify: "(A supervisor is told of each call.)",
  approval_required: "(A supervisor must approve each call first.)",
};
