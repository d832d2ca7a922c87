/** The proxy that fault tests stand on: what passes it, what it loses, and that nothing of it stays open. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** A server that answers each line with "re:" and the line, behind a proxy. */
async function echo(
  t: TestContext,
  loses?: (request: Buffer) => boolean,
): Promise<{ proxy: TcpProxy; heard: string[]; dial: () => Promise<Socket> }> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      heard.push(String(chunk));
      socket.write(`re:${String(chunk)}`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object", "a port");
  const proxy = await startTcpProxy({ host: "127.0.0.1", port: address.port }, loses);
  t.after(async () => {
    await proxy.close();
    server.close();
    await once(server, "close");
  });
  const dial = async (): Promise<Socket> => {
    const socket = connect({ host: "127.0.0.1", port: proxy.port });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  };
  return { proxy, heard, dial };
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await Promise.race([once(socket, "data"), closed(socket).then(() => ["cut"])])) as unknown[];
  return String(answer);
}

/** `once` would reject on the error of a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

test("it passes what is sent both ways, and cut ends all that is open", async (t) => {
  const { proxy, dial } = await echo(t);
  const [one, two] = await Promise.all([dial(), dial()]);
  assert.equal(await ask(one, "a"), "re:a");
  assert.equal(await ask(two, "b"), "re:b");
  const ended = Promise.all([closed(one), closed(two)]);
  proxy.cut();
  await ended;
  assert.equal(await ask(await dial(), "c"), "re:c");
});

test("a lost reply: the server has heard it, the client gets a cut, and only as often as was asked for", async (t) => {
  const { proxy, heard, dial } = await echo(t);
  const kept = await dial();
  const loser = await dial();
  proxy.loseReplies(1);
  assert.equal(await ask(loser, "x"), "cut");
  assert.deepEqual(heard, ["x"]);
  assert.equal(await ask(kept, "y"), "re:y");
});

test("the reply to a request that is told apart is lost, and no other", async (t) => {
  const { heard, dial } = await echo(t, (request) => String(request).startsWith("lose"));
  const [loser, kept] = await Promise.all([dial(), dial()]);
  assert.equal(await ask(loser, "keep 1"), "re:keep 1");
  assert.equal(await ask(loser, "lose 2"), "cut");
  assert.equal(await ask(kept, "keep 3"), "re:keep 3");
  assert.deepEqual(heard, ["keep 1", "lose 2", "keep 3"]);
});

test("delay holds each chunk back both ways, in order, and 0 ends it", async (t) => {
  const { proxy, dial } = await echo(t);
  const socket = await dial();
  proxy.delay(60);
  const started = performance.now();
  assert.equal(await ask(socket, "slow"), "re:slow");
  const took = performance.now() - started;
  assert.ok(took >= 115, `took ${took} ms`);
  proxy.delay(0);
  assert.equal(await ask(socket, "fast"), "re:fast");
});

test("refuse cuts and keeps out until accept", async (t) => {
  const { proxy, dial } = await echo(t);
  const socket = await dial();
  const ended = closed(socket);
  proxy.refuse();
  await ended;
  const refused = connect({ host: "127.0.0.1", port: proxy.port });
  refused.on("error", () => undefined);
  await closed(refused);
  proxy.accept();
  assert.equal(await ask(await dial(), "back"), "re:back");
});

test("an orderly end passes after what was sent before it; close is idempotent and ends what is open", async (t) => {
  const { proxy, dial } = await echo(t);
  const socket = await dial();
  assert.equal(await ask(socket, "a"), "re:a");
  socket.end();
  await closed(socket);
  const other = await dial();
  const ended = closed(other);
  await Promise.all([proxy.close(), proxy.close()]);
  await ended;
});
