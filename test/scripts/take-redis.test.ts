/** Where the demo takes its Redis from, and what it says when there is none or the given one is wrong. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Redis } from "ioredis";
import { findRedis, startRedis } from "../../src/testing/redis.ts";
import { has, held, HOLD, programs, RUN, runDemo, start, which } from "./processes.ts";

const SERVER = findRedis();
if (SERVER === undefined) throw new Error("These tests need a redis-server or redis-tools on PATH.");

test("a given Redis is used and nothing in it is touched", async (t) => {
  const given = await startRedis({ password: "right" });
  t.after(() => given.stop());
  const client = new Redis(given.url);
  t.after(() => client.disconnect());
  await client.set("theirs", "1");

  const run = runDemo(t, ["exit", "0"], { REDIS_URL: given.url });
  assert.equal((await held(run)).url, given.url);
  assert.equal((await run.ended).code, 0);
  assert.deepEqual(await client.keys("*"), ["theirs"]);
});

test("a wrong password is told in one sentence that does not show it", async (t) => {
  const given = await startRedis({ password: "right" });
  t.after(() => given.stop());
  for (const credentials of [":not-this-one@", "", "someone:not-this-one@"]) {
    const run = runDemo(t, ["exit", "0"], { REDIS_URL: `redis://${credentials}127.0.0.1:${given.port}` });
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^errand: The Redis at 127\.0\.0\.1:\d+ refused the user or password of REDIS_URL: [^\n]*\n$/);
    assert.doesNotMatch(stderr, /not-this-one/);
  }
});

test("an address where nothing listens, of no host, or of no Redis is told in one sentence", async (t) => {
  const web = createServer((socket) => socket.on("error", () => undefined).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  t.after(() => web.close());
  const { port } = web.address() as { port: number };
  const cases: [url: string, sentence: RegExp][] = [
    ["redis://127.0.0.1:1", /^errand: Nothing listens at 127\.0\.0\.1:1, where REDIS_URL points: /],
    [
      "redis://no-such-host.invalid",
      /^errand: REDIS_URL names a host that is not found \(no-such-host\.invalid:6379\): /,
    ],
    ["http://127.0.0.1:6379", /^errand: REDIS_URL is not a Redis address: expected redis:\/\//],
    ["127.0.0.1:6379", /^errand: REDIS_URL is not a Redis address: /],
    [`redis://127.0.0.1:${port}`, /^errand: The Redis at 127\.0\.0\.1:\d+ of REDIS_URL does not answer as one /],
  ];
  for (const [url, sentence] of cases) {
    const { code, stderr } = await runDemo(t, ["exit", "0"], { REDIS_URL: url }).ended;
    assert.equal(code, 1, url);
    assert.match(stderr, sentence);
    assert.equal(stderr.split("\n").length, 2, `one line: ${stderr}`);
  }
});

test("with no Redis anywhere and no way to get one it says in one sentence what to install", async (t) => {
  const { code, stderr } = await runDemo(t, [], { PATH: await programs(t, {}) }).ended;
  assert.equal(code, 1);
  assert.match(stderr, /^errand: Errand needs a Redis and found none: install one \(.*brew install redis\), .*\n$/);
});

test("a docker client without an engine is passed over", async (t) => {
  const { code, stderr } = await runDemo(t, [], { PATH: await programs(t, { docker: `[ "$1" != info ]` }) }).ended;
  assert.equal(code, 1);
  assert.match(stderr, /^errand: Errand needs a Redis and found none/);
});

test("redis-check-rdb of redis-tools serves as the server", async (t) => {
  const path = await programs(t, { "redis-check-rdb": { link: which(SERVER.file) } });
  const run = runDemo(t, ["exit", "0"], { PATH: path });
  assert.match((await held(run)).url, /^redis:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await run.ended).code, 0);
});

test("without a terminal redis-tools is installed unasked, after the lists of packages where they are missing", async (t) => {
  const path = await programs(t, {
    "apt-get": `
      dir=\${0%/*}
      case "$*" in
        --version) exit 0 ;;
        *update*) echo update >> "$dir/log"; : > "$dir/lists" ;;
        *) echo "\${*##*60 } as $DEBIAN_FRONTEND" >> "$dir/log"
           [ -e "$dir/lists" ] || { echo "E: Unable to locate package redis-tools" >&2; exit 100; }
           /bin/ln -s '${which(SERVER.file)}' "$dir/redis-check-rdb" ;;
      esac`,
    sudo: `[ "$1" = -n ] && shift; exec "$@"`,
    env: { link: which("env") },
    true: { link: which("true") },
  });
  const run = runDemo(t, ["exit", "0"], { PATH: path });
  assert.match((await held(run)).url, /^redis:\/\/127\.0\.0\.1:\d+$/);
  const { stderr } = await run.ended;
  assert.equal(stderr, "Installing redis-tools (apt-get) …\n");
  const install = "install --yes --no-install-recommends redis-tools as noninteractive";
  assert.deepEqual(await lines(join(path, "log")), [install, "update", install]);
});

const TERMINAL = process.platform === "linux" && has("script"); // util-linux: every Debian has it

test("at a terminal it asks first, and no answer is a no", { skip: TERMINAL ? false : "no script(1)" }, async (t) => {
  const path = await programs(t, { "apt-get": `[ "$1" = --version ] || : > "\${0%/*}/log"`, sudo: "exit" });
  const command = `'${process.execPath}' '${RUN}' '${HOLD}' demo`;
  const env = { PATH: path, SHELL: "/bin/sh", CI: "" };
  const { code, stdout } = await start(t, which("script"), ["-qec", command, "/dev/null"], { env }).ended;
  assert.equal(code, 1);
  assert.match(stdout, /Install redis-tools with (sudo )?apt-get\? \[Y\/n\] .*errand: Errand needs a Redis/s);
  assert.equal(existsSync(join(path, "log")), false, "apt-get was not asked to install");
});

test("when the installation fails, apt-get's own words come before the sentence", async (t) => {
  const path = await programs(t, {
    "apt-get": `[ "$1" = --version ] && exit; echo "E: no network" >&2; exit 100`,
    sudo: `[ "$1" = -n ] && shift; exec "$@"`,
    env: { link: which("env") },
    true: { link: which("true") },
  });
  const { code, stderr } = await runDemo(t, [], { PATH: path }).ended;
  assert.equal(code, 1);
  assert.match(stderr, /E: no network\nerrand: Errand needs a Redis and found none: install one /);
});

for (const end of ["ends by itself", "is killed with -9"]) {
  test(`a Redis in docker is on loopback only and is removed when the script ${end}`, async (t) => {
    const path = await fakeDocker(t);
    const run = runDemo(t, end === "ends by itself" ? ["exit", "0"] : [], { PATH: path });
    const { url, redis } = await held(run);
    assert.match(url, /^redis:\/\/127\.0\.0\.1:\d+$/);
    if (end === "is killed with -9") run.child.kill("SIGKILL");
    await run.ended;
    await run.gone(redis?.pid ?? 0);
    const [started, , removed] = await lines(join(path, "log"));
    const name = /--name (errand-redis-\w+) /.exec(started ?? "")?.[1] ?? "no name";
    assert.match(started ?? "", /^run --detach --rm .* --publish 127\.0\.0\.1::6379 .*--maxmemory-policy noeviction$/);
    assert.equal(removed, `rm --force ${name}`);
  });
}

/** A docker of shell and a real Redis: what it was asked is in `log`, but for the questions whether there is an engine. */
async function fakeDocker(t: TestContext): Promise<string> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  const bin = await programs(t, { "redis-server": { link: which(SERVER?.file ?? "") } });
  return programs(t, {
    docker: `
      dir=\${0%/*}
      case $1 in info | compose) exit ;; esac
      echo "$*" >> "$dir/log"
      case $1 in
        run) '${bin}/redis-server' --port ${port} --bind 127.0.0.1 --save '' >/dev/null 2>&1 & echo $! > "$dir/pid" ;;
        port) echo 127.0.0.1:${port} ;;
        rm) read -r pid < "$dir/pid"; kill "$pid" ;;
      esac`,
  });
}

async function lines(file: string): Promise<string[]> {
  return (await readFile(file, "utf8")).trim().split("\n");
}
