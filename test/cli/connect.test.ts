/** `errand connect`: who may use its link, how it ends, and what it leaves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { test } from "node:test";
import { connect as reach } from "node:net";
import { connect } from "../../src/cli/connect.ts";
import { clickThrough } from "../../src/cli/site.ts";
import { createErrand } from "../../src/index.ts";
import { inboxDigestScript, sampleMails } from "../../src/testing/index.ts";
import { inboxDigest, untilEvent } from "../support/world.ts";
import { errandCommand, errandHere } from "./command.ts";
import { type Services, services } from "./services.ts";

const CONNECT = ["connect", "gmail", "--identifier", "bob"];

/** A browser: keeps the cookie of the site, follows nothing by itself. */
function browser(): (url: string) => Promise<Response> {
  let cookie = "";
  return async (url) => {
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    return response;
  };
}

async function assertNobodyListens(url: string): Promise<void> {
  const socket = reach(Number(new URL(url).port), "127.0.0.1");
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
}

test("a run that waited goes on when its user has connected; the link is for the first browser alone", async (t) => {
  const { scalekit, model, redis, prefix, env } = await services(t, { script: inboxDigestScript() });
  scalekit.mailbox("bob").load(await sampleMails());
  const app = createErrand({
    redis,
    prefix,
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
    models: { openai: { apiKey: model.apiKey, baseURL: model.url } },
    agents: [inboxDigest],
  });
  t.after(() => app.close());
  app.worker();
  const run = await app.enqueue(inboxDigest, { identifier: "bob", input: { query: "is:unread" } });
  const command = errandCommand(t, CONNECT, env, tmpdir());
  await untilEvent(run, "run.parked");
  const link = await command.firstLine;
  assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/as\/[\w-]{22}$/);

  const { origin } = new URL(link);
  const base = link.slice(0, link.indexOf("/as/"));
  for (const guess of [origin, `${origin}/connect/gmail`, `${origin}/as/x`, `${base}/as/x`])
    assert.equal((await fetch(guess, { redirect: "manual" })).status, 404, guess);
  assert.equal((await fetch(`${base}/connect/gmail`, { redirect: "manual" })).status, 401, "without a session");

  const own = browser();
  const entered = await own(link);
  assert.equal(entered.status, 302);
  assert.match(entered.headers.get("set-cookie") ?? "", /; HttpOnly; SameSite=Lax; Path=\/[\w-]{22}\/$/);
  const other = await browser()(link);
  assert.equal(other.status, 403);
  assert.match(await other.text(), /opened before, in another browser/);
  assert.equal((await own(link)).status, 302, "its own browser may reload it");

  const toConsent = await own(new URL(entered.headers.get("location") ?? "", link).href);
  const denied = await own(await scalekit.deny(toConsent.headers.get("location") ?? ""));
  assert.match(await denied.text(), /Nothing was connected/, "and the command still waits");
  const again = await own(`${base}/connect/gmail`);
  const back = await scalekit.approve(again.headers.get("location") ?? "");
  assert.equal((await browser()(back)).status, 401, "the way back belongs to that browser as well");
  const page = await own(back);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /gmail of bob is connected\. You can close this tab/);

  const end = await command.ended;
  assert.equal(end.code, 0, end.stderr);
  assert.equal(end.stdout, `${link}\ngmail of bob is ACTIVE. Runs that waited for it go on.\n`);
  await command.gone();
  await run.result({ timeoutMs: 60_000 });
});

test("Ctrl-C ends it with 130, --timeout with 4, and neither leaves a process, a port or an account that is ACTIVE", async (t) => {
  const { scalekit, env } = await services(t);
  const [stopped, late] = [
    errandCommand(t, CONNECT, env, tmpdir()),
    errandCommand(t, [...CONNECT, "--timeout", "0.05", "--json"], env, tmpdir()),
  ];
  const link = await stopped.firstLine;
  const opened = await browser()(link);
  assert.equal(opened.status, 302);
  stopped.child.kill("SIGINT");
  assert.equal((await stopped.ended).code, 130);
  await stopped.gone();
  await assertNobodyListens(link);

  const { code, stdout, stderr } = await late.ended;
  assert.equal(code, 4);
  const { url, ...rest } = JSON.parse(stdout) as { url: string; identifier: string; connection: string };
  assert.deepEqual(rest, { identifier: "bob", connection: "gmail" });
  assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, "timeout");
  await assertNobodyListens(url);
  assert.notEqual(scalekit.account("bob", "gmail")?.status, "ACTIVE");
});

test("ACTIVE already: said at once; --again waits until it was connected anew", async (t) => {
  const { scalekit, env } = await services(t);
  scalekit.connect("bob", "gmail");
  const already = await errandHere(CONNECT, env, { cwd: tmpdir() });
  assert.equal(already.code, 0, already.stderr);
  assert.match(already.stdout, /^gmail of bob was ACTIVE already/);
  const machine = await errandHere([...CONNECT, "--json"], env, { cwd: tmpdir() });
  assert.deepEqual(JSON.parse(machine.stdout), {
    identifier: "bob",
    connection: "gmail",
    status: "ACTIVE",
    already: true,
  });

  const again = await within({ env, scalekit }, ["--again"]);
  assert.match(again.stdout, /gmail of bob is ACTIVE\. Runs/);
});

test("in the mode in which nobody comes back, the account's status tells; with --again, that it changed", async (t) => {
  const world = await services(t, { scalekit: { verification: "none" } });
  const first = await within(world, []);
  assert.equal(first.code, 0);
  assert.match(first.stdout, /gmail of bob is ACTIVE\. Runs/);

  const again = await within(world, ["--again"], async (link) => {
    const own = browser();
    const entered = await own(link);
    await own(new URL(entered.headers.get("location") ?? "", link).href); // a link is made
    for (let looks = 0; looks < 3; looks++)
      await world.scalekit.waitFor("call", ({ method }) => method === "ListConnectedAccounts");
    world.scalekit.setStatus("bob", "gmail", "EXPIRED");
    world.scalekit.connect("bob", "gmail");
  });
  assert.equal(again.code, 0);
});

/** Runs the command here, looking at the account often, and clicks its link once it is said. */
async function within(
  { env, scalekit }: Pick<Services, "env" | "scalekit">,
  more: readonly string[],
  click: (link: string) => Promise<unknown> = (link) => clickThrough(link, (consent) => scalekit.approve(consent)),
): Promise<{ code: number; stdout: string }> {
  const written = { stdout: "" };
  let say: (link: string) => void = () => undefined;
  const link = new Promise<string>((resolve) => (say = resolve));
  const stdout = {
    write: (text: string): void => {
      written.stdout += text;
      if (text.startsWith("http")) say(text.trim());
    },
  };
  const io = { stdin: Readable.from([]), stdout, stderr: { write: () => undefined }, env, cwd: tmpdir() };
  const args = { identifier: "bob", again: more.includes("--again") };
  const ended = connect("gmail", args, io, { pollMs: 20 });
  const [code] = await Promise.all([ended, link.then(click)]);
  return { code, ...written };
}

test("a connection that is not there, a wrong identifier, wrong credentials, no Scalekit: each told with what to do", async (t) => {
  const { env } = await services(t);
  const told = async (args: readonly string[], given: Readonly<Record<string, string>>): Promise<string> => {
    const { code, stdout, stderr } = await errandHere(args, given, { cwd: tmpdir() });
    assert.deepEqual([code, stdout], [1, ""]);
    return stderr;
  };
  assert.match(
    await told(["connect", "gmial", "--identifier", "bob"], env),
    /^errand: connection-unknown: .*no connection "gmial".*Did you mean "gmail"\? Known: gmail\.\n$/,
  );
  assert.match(await told(["connect", "gmail", "--identifier", "b b"], env), /identifier-invalid/);
  const wrong = await told(CONNECT, { ...env, SCALEKIT_CLIENT_SECRET: "hush-hush" });
  assert.match(wrong, /scalekit-auth/);
  assert.ok(!wrong.includes("hush"));
  assert.match(await told(CONNECT, { REDIS_URL: env["REDIS_URL"] ?? "" }), /config-missing: .*SCALEKIT_ENV_URL/);
  assert.match(await told(CONNECT, { ...env, REDIS_URL: "redis://127.0.0.1:1" }), /redis-unavailable/);
});
