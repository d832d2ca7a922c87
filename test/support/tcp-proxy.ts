/** A proxy on loopback that does to a connection what networks do: cuts it, loses a reply, is slow, refuses. It never reads what passes. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Destroys every open connection. */
  cut(): void;
  /** The next n replies of the server (chunks) are read, then the connection is destroyed instead of passing them. */
  loseReplies(n: number): void;
  /** ms added to each chunk in both directions; 0 ends it. */
  delay(ms: number): void;
  /** New connections are refused and open ones cut until `accept`. */
  refuse(): void;
  accept(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

interface State {
  replies: number;
  delayMs: number;
  refusing: boolean;
}

/**
 * Starts it on a free port of 127.0.0.1. What the target refuses, the client sees as a cut.
 * @param target read for each new connection: it may be moved
 * @param loses asked about each chunk that a client sends. Yes: it is passed on, and the connection is destroyed instead of passing
 * the reply.
 */
export async function startTcpProxy(
  target: { readonly host: string; readonly port: number },
  loses: (request: Buffer) => boolean = () => false,
): Promise<TcpProxy> {
  const state: State = { replies: 0, delayMs: 0, refusing: false };
  const open = new Set<Socket>();
  // Half-open is passed on as it came: an end on one side ends the other after what was sent before it.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (state.refusing) return void client.resetAndDestroy();
    const upstream = connect({ ...target, allowHalfOpen: true });
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket.setNoDelay());
      socket.on("error", cut);
      socket.on("close", () => {
        open.delete(socket);
        cut();
      });
    }
    let doomed = false;
    relay(client, upstream, state, (chunk) => {
      doomed ||= loses(chunk);
      return true;
    });
    relay(upstream, client, state, () => {
      if (!doomed && state.replies === 0) return true;
      if (!doomed) state.replies -= 1;
      cut();
      return false;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");

  const cutAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  let closing: Promise<void> | undefined;
  return {
    port: address.port,
    cut: cutAll,
    loseReplies: (n) => void (state.replies = n),
    delay: (ms) => void (state.delayMs = ms),
    refuse: () => {
      state.refusing = true;
      cutAll();
    },
    accept: () => void (state.refusing = false),
    close: () =>
      (closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      })),
  };
}

/** Passes chunks on in their order, each as late as `state` said when it came. A slow reader stops the sender. */
function relay(from: Socket, to: Socket, state: State, mayPass: (chunk: Buffer) => boolean): void {
  let last: Promise<void> | undefined;
  // What was delayed before keeps its place before what is not.
  const inOrder = (pass: () => void): void => {
    if (state.delayMs === 0 && last === undefined) return pass();
    const due = new Promise((resolve) => setTimeout(resolve, state.delayMs).unref());
    const mine: Promise<void> = Promise.all([last, due]).then(() => {
      if (last === mine) last = undefined;
      if (!to.destroyed) pass();
    });
    last = mine;
  };
  from.on("data", (chunk: Buffer) => {
    if (!mayPass(chunk)) return;
    inOrder(() => {
      if (to.write(chunk) || from.destroyed) return;
      from.pause();
      to.once("drain", () => from.resume());
    });
  });
  from.on("end", () => inOrder(() => to.end()));
}
