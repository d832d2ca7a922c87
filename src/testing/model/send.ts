/** Puts a reply on the socket: whole, late, in pieces, cut in the middle, or never. */
import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { jsonWire, type Protocol, type ScriptRequest, type Wire } from "./protocol.ts";
import type { Reply } from "./reply.ts";

export interface Sending {
  readonly reply: Reply;
  readonly request: ScriptRequest;
  readonly protocol: Protocol;
  /** Equal for equal requests. */
  readonly seed: string;
  /** Aborted when the connection is gone: nobody waits for a late reply any more. */
  readonly signal: AbortSignal;
}

/** @throws AbortError if the connection ends during a wait */
export async function send(response: ServerResponse, sending: Sending): Promise<void> {
  const { reply, signal } = sending;
  if (signal.aborted) return;
  switch (reply.kind) {
    case "silence":
      return;
    case "late":
      await wait(reply.ms, undefined, { signal });
      return send(response, { ...sending, reply: reply.reply });
    case "cut":
      return sendPart(response, wireOf(sending, reply.reply), reply.at, reply.after);
    case "slow":
      return sendSlowly(response, wireOf(sending, reply.reply), sending, reply);
    default:
      return sendWhole(response, wireOf(sending, reply), sending);
  }
}

function wireOf({ protocol, request, seed }: Sending, reply: Reply): Wire {
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
      return jsonWire(400, {
        error: { message: `The script cut a reply of kind "${reply.kind}": only a whole one can be cut` },
      });
  }
}

function sendHead(response: ServerResponse, wire: Wire, { protocol, seed }: Sending): void {
  const name = protocol.requestIdHeader ?? "x-request-id";
  response.writeHead(wire.status, { [name]: `req_${seed.slice(0, 32)}`, ...wire.headers });
}

function sendWhole(response: ServerResponse, wire: Wire, sending: Sending): void {
  sendHead(response, wire, sending);
  for (const chunk of wire.chunks) response.write(chunk);
  response.end();
}

async function sendSlowly(
  response: ServerResponse,
  wire: Wire,
  sending: Sending,
  { ms, pieces }: { readonly ms: number; readonly pieces: number },
): Promise<void> {
  const body = bytesOf(wire);
  const each = Math.max(1, Math.ceil(body.length / Math.max(1, pieces)));
  sendHead(response, wire, sending);
  for (let from = 0; from < body.length; from += each) {
    if (from > 0) await wait(ms, undefined, { signal: sending.signal });
    response.write(body.subarray(from, from + each));
  }
  response.end();
}

function bytesOf({ chunks }: Wire): Buffer {
  return Buffer.concat(chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk) : chunk)));
}

/** Announces the length of the whole body, so that the client can know that it was cheated. */
function sendPart(response: ServerResponse, wire: Wire, at: number, after: "disconnect" | "hang"): void {
  const body = bytesOf(wire);
  const length = Math.max(1, Math.min(body.length - 1, Math.floor(body.length * at)));
  response.writeHead(wire.status, { ...wire.headers, "content-length": body.length });
  response.write(body.subarray(0, length), () => {
    if (after === "disconnect") response.destroy();
  });
}
