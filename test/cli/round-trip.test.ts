/** The commands together, as processes: a worker, runs enqueued beside it, and what is shown of them. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createErrand, type Errand, type RunEvent, type RunView } from "../../src/index.ts";
import {
  inboxDigestScript,
  json,
  removeKeys,
  sampleMails,
  type ScalekitEmulator,
  type Script,
  type ScriptedModel,
  startScalekitEmulator,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "../support/store.ts";
import { untilEvent } from "../support/world.ts";
import type { Ended, Started } from "../scripts/processes.ts";
import { errandCommand, errandHere } from "./command.ts";

// The example's agent takes its model from the environment when it is loaded, here and in the processes.
process.env["ERRAND_MODEL"] = "openai/scripted";

interface Stage {
  readonly scalekit: ScalekitEmulator;
  readonly model: ScriptedModel;
  /** The same runs, seen by an app. */
  readonly app: Errand;
  readonly run: (...args: string[]) => Started;
  /** Without a process. */
  readonly here: (...args: string[]) => Promise<Omit<Ended, "signal">>;
}

async function stage(t: TestContext, script: Script): Promise<Stage> {
  const scalekit = await startScalekitEmulator({ connections: ["gmail"] });
  const model = await startScriptedModel({ script });
  const [redis, prefix] = [redisUrl(), testPrefix()];
  const app = createErrand({ redis, prefix, agents: [] });
  t.after(async () => {
    await app.close();
    await Promise.all([scalekit.close(), model.close()]);
    await removeKeys(redis, prefix);
  });
  const env = {
    REDIS_URL: redis,
    ERRAND_PREFIX: prefix,
    SCALEKIT_ENV_URL: scalekit.url,
    SCALEKIT_CLIENT_ID: scalekit.clientId,
    SCALEKIT_CLIENT_SECRET: scalekit.clientSecret,
    OPENAI_API_KEY: model.apiKey,
    OPENAI_BASE_URL: model.url,
    ERRAND_MODEL: "openai/scripted",
  };
  return {
    scalekit,
    model,
    app,
    run: (...args) => errandCommand(t, args, env),
    here: (...args) => errandHere(args, env),
  };
}

const ENQUEUE = ["enqueue", "inbox-digest", "--identifier"];

test("worker, enqueue and show: a digest, a parked run that is followed to its end, and what each is told", async (t) => {
  const { scalekit, app, run, here } = await stage(t, inboxDigestScript());
  const mails = await sampleMails();
  scalekit.mailbox("ada").load(mails);
  scalekit.connect("ada", "gmail");

  const worker = run("worker", "--concurrency", "4", "--json");
  const ready = { ready: true, pid: worker.child.pid, agents: ["inbox-digest"], queues: ["default"] };
  assert.deepEqual(JSON.parse(await worker.firstLine), ready);

  // Bob is not connected; his runs wait, and so do the commands that wait for them.
  const bob = run(...ENQUEUE, "bob", "--input", "{}", "--wait");
  const [ada, late] = await Promise.all([
    here(...ENQUEUE, "ada", "--input", '{"query":"is:unread"}', "--wait", "--json"),
    here(...ENQUEUE, "ida", "--queue", "nobody", "--wait", "--timeout", "0.1", "--json"),
    bob.said(/parked, waits for bob: gmail \(not-connected\)/),
  ]);

  assert.equal(ada.code, 0, ada.stderr);
  assert.equal(ada.stderr, "");
  const done = JSON.parse(ada.stdout) as { id: string; status: string; output: { summary: string } };
  assert.equal(done.status, "completed");
  assert.match(done.output.summary, /mails found/);

  assert.equal(late.code, 4);
  assert.equal((JSON.parse(late.stdout) as RunView).status, "queued");
  assert.equal((JSON.parse(late.stderr) as { error: { code: string } }).error.code, "timeout");

  const waiting = (await app.runs({ identifier: "bob" })).runs[0]?.id ?? "";
  const followed = run("show", waiting, "--follow");
  const [lines, all, parked] = await Promise.all([
    here("show", done.id),
    here("show", done.id, "--json"),
    here("show", waiting),
    followed.firstLine,
  ]);
  assertTimeline(lines.stdout, done);
  for (const mail of mails) assert.ok(mail.subject === "" || !lines.stdout.includes(mail.subject), mail.subject);
  const { view, events } = JSON.parse(all.stdout) as { view: RunView; events: RunEvent[] };
  assert.equal(view.id, done.id);
  assert.deepEqual([events[0]?.type, events.at(-1)?.type], ["run.queued", "run.completed"]);
  assert.match(parked.stdout, /^parked \(account\) for [\d.]+ m?s, waits for bob: gmail \(not-connected\)$/m);
  assert.equal(parked.code, 0);

  await app.run(waiting).cancel();
  const [end, shown] = await Promise.all([bob.ended, followed.ended]);
  assert.equal(end.code, 3);
  assert.equal(end.stdout, "");
  assert.match(end.stderr, new RegExp(`^${waiting}\\n`));
  assert.match(end.stderr, /run-cancelled: run run_\S+ ended as cancelled/);
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, /parked, waits for bob.*\n.* taken by .*\n.* cancelled\n\ncancelled\n/);

  worker.child.kill("SIGTERM");
  const stopped = await worker.ended;
  assert.equal(stopped.code, 0);
  assert.match(stopped.stderr, /"msg":"run\.left"/, "the log is JSON on stderr");
  assert.equal(stopped.stdout.split("\n").length, 2, "stdout has the one line");
  await worker.gone();
});

/** The shape of a digest's timeline: what happened, in order, with numbers. */
function assertTimeline(text: string, { id }: { id: string }): void {
  const shape = [
    new RegExp(`^${id}  inbox-digest for ada, 20\\d\\d-`),
    /^ +0:00\.000 {2}queued$/,
    /^ +0:0\d\.\d{3} {2}taken by \S+$/,
    /prepared, with gmail_fetch_mails, gmail_get_message_by_id$/,
    /turn 1: 1 tool call · [\d,]+ tokens in, \d+ out · scripted · [\d.]+ m?s · req_\w+$/,
    /^ +0:0\d\.\d{3} {4}gmail_fetch_mails: ok · read · [\d,]+ characters · [\d.]+ m?s$/,
    /turn \d: an answer · /,
    / completed$/,
    /^completed$/,
    /^\d turns of \d+ · \d+ tool calls of \d+ · [\d,]+ tokens in, \d+ out · worked [\d.]+ m?s of 1 h 00 m · [\d.]+ m?s$/,
    /^result: [\d,]+ characters \(--content shows it\)$/,
  ];
  let lines = text.split("\n");
  for (const expected of shape) {
    const at = lines.findIndex((line) => expected.test(line));
    assert.ok(at >= 0, `${String(expected)} in order in:\n${text}`);
    lines = lines.slice(at + 1);
  }
}

test("a worker that is told to stop ends its step, hands the run back and exits with 0; told twice, it stops at once", async (t) => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const { scalekit, model, app, run, here } = await stage(t, async (_request, { index }) => {
    if (index === 0) await released;
    return index === 0 ? json({ unread: "not a number" }) : await new Promise(() => undefined);
  });
  scalekit.connect("ada", "gmail");
  const [patient, enqueued] = [run("worker"), await here(...ENQUEUE, "ada", "--input", "{}")];
  const id = enqueued.stdout.trim();
  assert.equal(await patient.firstLine, "errand worker is ready: agents inbox-digest; queues default");

  await model.waitFor(({ index }) => index === 0);
  patient.child.kill("SIGTERM");
  await patient.said(/stopping after the steps under way/);
  release();
  const end = await patient.ended;
  assert.equal(end.code, 0, end.stderr);
  await untilEvent(app.run(id), "run.yielded");
  assert.equal((await app.run(id).get()).status, "queued");

  const hasty = run("worker");
  await model.waitFor(({ index }) => index === 1);
  hasty.child.kill("SIGINT");
  await hasty.said(/once more to stop at once/);
  hasty.child.kill("SIGINT");
  assert.equal((await hasty.ended).code, 130);
});
