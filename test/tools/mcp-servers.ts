/** MCP servers for tests: the SDK's own (v2), the reference server on its first SDK, and one that answers whatever a test wants. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { nodeListener } from "../../src/index.ts";

export interface Running {
  readonly url: string;
  /** Requests so far. */
  readonly requests: { readonly method: string; readonly authorization: string | undefined }[];
}

async function listen(t: TestContext, listener: RequestListener): Promise<Running> {
  const requests: Running["requests"] = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? "", authorization: request.headers.authorization });
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, requests };
}

export interface Notes extends Running {
  readonly written: string[];
  /** Each request makes a server anew: from now on this is what `note_write` says it does. */
  describe(text: string): void;
  changed(): void;
}

/** The SDK's own server of 2026, which also serves clients of before. */
export async function notesServer(t: TestContext): Promise<Notes> {
  const written: string[] = [];
  let description = "Writes a note.";
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "notes", version: "1" });
    const readOnly = { readOnlyHint: true };
    server.registerTool(
      "note.read",
      { description: "Reads a note.", inputSchema: z.object({ id: z.string() }), annotations: readOnly },
      ({ id }) => ({ content: [{ type: "text", text: JSON.stringify({ id, text: "milk" }) }] }),
    );
    server.registerTool(
      "note_write",
      { description, inputSchema: z.object({ text: z.string() }), annotations: { idempotentHint: true } },
      ({ text }) => {
        written.push(text);
        return { content: [{ type: "text", text: "done" }] };
      },
    );
    server.registerTool(
      "note_count",
      { description: "Counts.", inputSchema: z.object({}), outputSchema: z.object({ count: z.number() }) },
      () => ({ content: [{ type: "text", text: "2" }], structuredContent: { count: 2 } }),
    );
    server.registerTool("note_fail", { description: "Fails.", inputSchema: z.object({}) }, () => ({
      isError: true,
      content: [{ type: "text", text: "the disk is full" }],
    }));
    server.registerTool("note_long", { description: "Long.", inputSchema: z.object({}) }, () => ({
      content: [{ type: "text", text: "x".repeat(3_000_000) }],
    }));
    return server;
  });
  t.after(() => handler.close());
  const running = await listen(
    t,
    (request, response) => void nodeListener((asked) => handler.fetch(asked))(request, response),
  );
  return {
    ...running,
    written,
    describe: (text) => void (description = text),
    changed: () => handler.notify.toolsChanged(),
  };
}

interface Reference {
  readonly createServer: () => {
    readonly server: { connect(transport: unknown): Promise<void> };
    cleanup(id?: string): void;
  };
}

/** `@modelcontextprotocol/server-everything`, on version 1 of the SDK, over its own transport with sessions. */
export async function everythingServer(t: TestContext): Promise<Running> {
  const module = "@modelcontextprotocol/server-everything/dist/server/index.js";
  const { createServer: make } = (await import(module)) as Reference;
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  t.after(() => Promise.all([...sessions.values()].map((one) => one.close())));
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const made = make();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    transport.onclose = () => made.cleanup(transport.sessionId);
    await made.server.connect(transport);
    return transport;
  };
  return listen(t, (request, response) => {
    const id = request.headers["mcp-session-id"];
    const known = typeof id === "string" ? sessions.get(id) : undefined;
    if (id !== undefined && known === undefined) return void response.writeHead(404).end();
    void (known === undefined ? open() : Promise.resolve(known)).then((it) => it.handleRequest(request, response));
  });
}

/** What to answer to a method: a result, or the whole of it by hand. */
export type Answers = (method: string, params: unknown) => unknown;

/** A server of 2025 without sessions, that says whatever it is told to. `undefined`: no answer at all. */
export async function rawServer(t: TestContext, answers: Answers): Promise<Running> {
  return listen(t, (request, response) => void answer(request, response, answers));
}

/** Answered by hand: a status and a body. */
export class ByHand {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body = "", headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, answers: Answers): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  if (request.method !== "POST") return void response.writeHead(405).end();
  const asked = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
    id?: unknown;
    method: string;
    params?: unknown;
  };
  if (asked.id === undefined) return void response.writeHead(202).end();
  const send = (status: number, body: string, headers = {}): void =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  const given = answers(asked.method, asked.params);
  if (given instanceof ByHand) return send(given.status, given.body, given.headers);
  if (given !== undefined) return send(200, JSON.stringify({ jsonrpc: "2.0", id: asked.id, ...wrapped(given) }));
  const initialized = {
    protocolVersion: "2025-06-18",
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: "raw", version: "1" },
  };
  if (asked.method === "initialize") send(200, JSON.stringify({ jsonrpc: "2.0", id: asked.id, result: initialized }));
  else if (asked.method !== "tools/call" && asked.method !== "tools/list")
    send(200, JSON.stringify({ jsonrpc: "2.0", id: asked.id, error: { code: -32_601, message: "Method not found" } }));
}

function wrapped(given: unknown): object {
  return typeof given === "object" && given !== null && "error" in given ? given : { result: given };
}
