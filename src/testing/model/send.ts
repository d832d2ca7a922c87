/** Puts a reply on the socket: whole, late, cut in the middle, or never. */
import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { jsonWire } from "./protocol.ts";
import type { Protocol, ScriptRequest, Wire } from "./protocol.ts";
import type { Reply } from "./reply.ts";

export interface Sending {
  readonly reply: Reply;
  readonly request: ScriptRequest;
  readonly protocol: Protocol;
  /** Equal for equal requests. */
  readonly seed: string;
  /** Aborted when the server closes. */
  readonly signal: AbortSignal;
}

export async function send(response: ServerResponse, sending: Sending): Promise<void> {
  const { reply } = sending;
  switch (reply.kind) {
    case "silence":
      return;
    case "late":
      await wait(reply.ms, undefined, { signal: sending.signal });
      return send(response, { ...sending, reply: reply.reply });
    case "cut":
      return sendPart(response, wireOf(sending, reply.reply), reply.at, reply.then);
    default:
      return sendWhole(response, wireOf(sending, reply), sending.seed);
  }
}

function wireOf(sending: Sending, reply: Reply): Wire {
  const { protocol, request, seed } = sending;
  switch (reply.kind) {
    case "answer":
      return protocol.answer(request, reply, seed);
    case "no-choices":
      return protocol.noChoices(request, seed);
    case "error":
      return protocol.error(reply);
    case "raw":
      return { status: reply.status, headers: reply.headers, chunks: [reply.body] };
    default:
      return jsonWire(500, { error: { message: `A reply of kind "${reply.kind}" cannot be inside another one` } });
  }
}

function sendWhole(response: ServerResponse, wire: Wire, seed: string): void {
  response.writeHead(wire.status, { "x-request-id": `req_${seed.slice(0, 32)}`, ...wire.headers });
  for (const chunk of wire.chunks) response.write(chunk);
  response.end();
}

/** The announced length is that of the whole body, so that the client knows it was cheated. */
function sendPart(response: ServerResponse, wire: Wire, at: number, then: "disconnect" | "hang"): void {
  const body = Buffer.concat(wire.chunks.map((chunk) => Buffer.from(chunk as Uint8Array)));
  const length = Math.min(body.length - 1, Math.floor(body.length * at));
  response.writeHead(wire.status, { ...wire.headers, "content-length": body.length });
  response.write(body.subarray(0, Math.max(1, length)), () => {
    if (then === "disconnect") response.destroy();
  });
}
