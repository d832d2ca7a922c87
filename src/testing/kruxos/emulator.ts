/** A local KruxOS gateway for tests: `POST /rpc` as its documents have it. What they contradict each other about is an option. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isObject } from "../../core/json.ts";
import { CAPABILITIES, type Capability, CapabilityFailure, KruxosWorld } from "./capabilities.ts";

export interface KruxosEmulatorOptions {
  /** Default 64 times `a`. */
  readonly apiKey?: string;
  readonly capabilities?: readonly Capability[];
  /** Which of its three shapes its errors have. Default `envelope`. */
  readonly errors?: "envelope" | "mcp" | "structured";
  /** How a pending approval is told: as a result, or as error -32002. Default `result`. */
  readonly approvals?: "result" | "error";
  /** Whether an approved call is made by the gateway itself. Default false: the client makes it. */
  readonly executesApproved?: boolean;
  /** The name of the question about approvals. Default `approvals.check`. */
  readonly askApproval?: "approvals.check" | "kruxos/checkApproval";
}

interface Approval {
  readonly capability: string;
  readonly input: Readonly<Record<string, unknown>>;
  status: "pending" | "approved" | "rejected" | "expired";
  used: boolean;
  result?: unknown;
}

/** What goes wrong with the next request of this method (`*`: any). */
export interface KruxosFault {
  readonly method: string;
  readonly when?: "before" | "after";
  readonly times?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly code?: number;
  readonly data?: unknown;
  readonly body?: string;
  readonly reset?: boolean;
  readonly hang?: boolean;
}

/** Starts a gateway on a free port of 127.0.0.1. Close it when done. */
export async function startKruxosEmulator(options: KruxosEmulatorOptions = {}): Promise<KruxosEmulator> {
  const emulator = new KruxosEmulator(options);
  await emulator.listen();
  return emulator;
}

export class KruxosEmulator {
  readonly apiKey: string;
  readonly world: KruxosWorld = new KruxosWorld();
  /** Methods asked with a good key, in order. */
  readonly calls: string[] = [];
  /** What was executed, in order. */
  readonly executed: string[] = [];
  capabilities: readonly Capability[];
  readonly #options: KruxosEmulatorOptions;
  readonly #approvals = new Map<string, Approval>();
  readonly #server: Server;
  #faults: { fault: KruxosFault; left: number }[] = [];

  /** Use `startKruxosEmulator`. */
  constructor(options: KruxosEmulatorOptions) {
    this.#options = options;
    this.apiKey = options.apiKey ?? "a".repeat(64);
    this.capabilities = options.capabilities ?? CAPABILITIES;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ids of approvals that wait. */
  get pending(): readonly string[] {
    return [...this.#approvals].flatMap(([id, { status }]) => (status === "pending" ? [id] : []));
  }

  approve(id: string): void {
    const approval = this.#need(id);
    approval.status = "approved";
    if (this.#options.executesApproved === true) approval.result = this.#run(approval.capability, approval.input);
  }

  reject(id: string): void {
    this.#need(id).status = "rejected";
  }

  expire(id: string): void {
    this.#need(id).status = "expired";
  }

  fail(fault: KruxosFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #need(id: string): Approval {
    const approval = this.#approvals.get(id);
    if (approval === undefined) throw new Error(`KruxOS emulator: no approval ${id}`);
    return approval;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
    const send = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    if (request.url !== "/rpc" || request.method !== "POST") return send(404, { error: "not found" });
    const asked: unknown = parsed(Buffer.concat(chunks).toString("utf8"));
    if (!isObject(asked) || typeof asked["method"] !== "string")
      return send(200, { jsonrpc: "2.0", id: null, error: { code: -32_700, message: "Parse error" } });
    const { id, method } = asked;
    if (request.headers.authorization !== `Bearer ${this.apiKey}`)
      return send(200, { jsonrpc: "2.0", id, error: { code: -32_003, message: "Authentication failed" } });
    this.calls.push(method);
    const params = isObject(asked["params"]) ? asked["params"] : {};
    if (this.#faulty(this.#take(method, "before"), id, send, response)) return;
    const answer = this.#answer(method, params);
    if (this.#faulty(this.#take(method, "after"), id, send, response)) return;
    send(200, { jsonrpc: "2.0", id, ...answer });
  }

  #take(method: string, when: "before" | "after"): KruxosFault | undefined {
    const found = this.#faults.find(
      ({ fault }) => (fault.when ?? "before") === when && (fault.method === "*" || fault.method === method),
    );
    if (found === undefined) return undefined;
    if (--found.left <= 0) this.#faults = this.#faults.filter((other) => other !== found);
    return found.fault;
  }

  #faulty(
    fault: KruxosFault | undefined,
    id: unknown,
    send: (status: number, body: unknown, headers?: Readonly<Record<string, string>>) => void,
    response: ServerResponse,
  ): boolean {
    if (fault === undefined) return false;
    if (fault.reset === true) response.socket?.destroy();
    else if (fault.hang !== true) {
      const error = { code: fault.code, message: "fault", data: fault.data };
      const body = fault.code === undefined ? (fault.body ?? "fault") : { jsonrpc: "2.0", id, error };
      send(fault.status ?? 200, body, fault.headers);
    }
    return true;
  }

  #answer(method: string, params: Readonly<Record<string, unknown>>): object {
    switch (method) {
      case "capabilities.list": {
        const { category } = params;
        const all = this.capabilities.filter(
          ({ name, tier }) => tier !== "blocked" && (category === undefined || name.split(".")[0] === category),
        );
        return { result: { capabilities: all.map(shown) } };
      }
      case "capabilities.describe": {
        const found = this.capabilities.find(({ name }) => name === params["name"]);
        return found === undefined
          ? { error: { code: -32_602, message: "unknown capability" } }
          : { result: shown(found) };
      }
      case "capabilities.invoke":
        return this.#invoke(
          String(params["capability"]),
          isObject(params["arguments"]) ? params["arguments"] : {},
          params,
        );
      case this.#options.askApproval ?? "approvals.check": {
        const approval = this.#approvals.get(String(params["approval_id"]));
        if (approval === undefined) return { error: { code: -32_602, message: "no such approval" } };
        return {
          result: { status: approval.status, ...(approval.result !== undefined && { result: approval.result }) },
        };
      }
      case "session.create":
        return { result: { session_id: "sess-1", agent: "emulated", created_at: "2026-03-15T10:00:00Z" } };
      case "session.end":
        return { result: {} };
      default:
        return { error: { code: -32_601, message: `Method not found: ${method}` } };
    }
  }

  #invoke(name: string, input: Readonly<Record<string, unknown>>, params: Readonly<Record<string, unknown>>): object {
    const capability = this.capabilities.find((one) => one.name === name);
    if (capability === undefined || capability.tier === "blocked")
      return { error: { code: -32_001, message: `Policy denied: ${name}` } };
    if (capability.tier === "approval_required") {
      const given = this.#approvals.get(String(params["approval_id"]));
      if (given?.status !== "approved" || given.used || given.capability !== name) {
        const approvalId = `appr-${this.#approvals.size + 1}`;
        this.#approvals.set(approvalId, { capability: name, input, status: "pending", used: false });
        const message = "Waiting for supervisor approval...";
        if (this.#options.approvals === "error")
          return { error: { code: -32_002, message, data: { approval_id: approvalId } } };
        return { result: { status: "pending_approval", approval_id: approvalId, capability: name, message } };
      }
      given.used = true;
    }
    return { result: this.#run(name, input) };
  }

  #run(name: string, input: Readonly<Record<string, unknown>>): object {
    const capability = this.capabilities.find((one) => one.name === name);
    try {
      const data = capability?.run(input, this.world);
      this.executed.push(name);
      return { success: true, data };
    } catch (error) {
      if (!(error instanceof CapabilityFailure)) throw error;
      return failure(error, this.#options.errors ?? "envelope");
    }
  }
}

function failure({ type, message, recovery }: CapabilityFailure, shape: "envelope" | "mcp" | "structured"): object {
  const brief = recovery.map(({ action, description }) => ({ action, description }));
  if (shape === "envelope") return { success: false, error: { type, message, recovery: brief } };
  if (shape === "mcp")
    return {
      isError: true,
      content: [{ type: "text", text: JSON.stringify({ error: type, message, recovery: brief }) }],
    };
  const actions = recovery.map((one) => ({ ...one, inputs: {} }));
  return {
    error_type: type,
    description: "internal",
    agent_description: message,
    recovery_actions: actions,
    retryable: false,
  };
}

function shown({ name, purpose, tier = "autonomous", inputs, inputSchema }: Capability): object {
  return {
    name,
    version: "1.0",
    purpose,
    permission_tier: tier,
    outputs: [],
    ...(inputSchema === undefined ? { inputs: inputs ?? [] } : { inputSchema }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
