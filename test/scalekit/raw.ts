/** A Scalekit that answers with bytes of the test's choice: for answers that no well-behaved server gives. */
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** Answers each RPC with `respond`, and the token endpoint with `token` (default: a token for an hour). */
export async function startRaw(
  t: TestContext,
  respond: (stream: ServerHttp2Stream, method: string) => void,
  token: { status?: number; body?: string; location?: string } = {},
): Promise<string> {
  const { status = 200, body = JSON.stringify({ access_token: "token", expires_in: 3_600 }) } = token;
  const headers = token.location === undefined ? {} : { location: token.location };
  const http = createHttp((_request, response) => void response.writeHead(status, headers).end(body));
  const http2 = createHttp2();
  http2.on("stream", (stream, headers) => {
    const method = headers[":path"]?.split("/").at(-1) ?? "";
    stream.on("error", () => undefined);
    // The request is read to its end first: the call has arrived as a whole.
    stream.resume().on("end", () => respond(stream, method));
  });
  http2.on("sessionError", () => undefined);
  return listen(t, (socket) => {
    socket.once("readable", () => {
      const first: unknown = socket.read();
      if (!(first instanceof Buffer)) return;
      socket.unshift(first);
      (first.toString("latin1").startsWith("PRI ") ? http2 : http).emit("connection", socket);
    });
  });
}

/** One message in its gRPC envelope. */
export function envelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A gRPC answer: envelopes and all. Without `trailers` it says OK. */
export function answer(
  stream: ServerHttp2Stream,
  body: Buffer,
  trailers: Readonly<Record<string, string>> = { "grpc-status": "0" },
): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}

export interface Relay {
  readonly url: string;
  /** How many connections it has had. */
  readonly connections: number;
  /** Connections that are open now swallow everything from now on, and stay open. */
  swallow(): void;
}

/** Stands between a client and the server at `target`. */
export async function startRelay(t: TestContext, target: string): Promise<Relay> {
  const to = Number(new URL(target).port);
  let connections = 0;
  let swallowed = 0;
  const url = await listen(t, (near) => {
    const mine = ++connections;
    const far = connect(to, "127.0.0.1");
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.on("data", (data) => void (mine > swallowed && far.write(data)));
    far.on("data", (data) => void (mine > swallowed && near.write(data)));
  });
  return {
    url,
    get connections() {
      return connections;
    },
    swallow: () => void (swallowed = connections),
  };
}

async function listen(t: TestContext, onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
