/** Redis did what it was asked, and the answer never came: the script is sent again, twice, and has its effect once. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { CLAIM } from "../../src/queue/scripts/claim.ts";
import { COMMIT } from "../../src/queue/scripts/commit.ts";
import { CREATE } from "../../src/queue/scripts/create.ts";
import { EVIDENCE } from "../../src/queue/scripts/evidence.ts";
import { assertDelivered, faultLab, type FaultLab, POINTS } from "./lab.ts";

/** No lease ends while a connection comes back. */
const errand = { leaseMs: 4_000 };
const LOST = 2;

for (const [what, script, ...words] of [
  ["create", CREATE],
  ["claim", CLAIM],
  ["the commit of an answer with an intent", COMMIT, '"turn-committed"', '"call-claimed"', '"gmail_send_message"'],
  ["a result", EVIDENCE, '"gmail_send_message"', '"kind":"ok"'],
  ["the commit of the end", COMMIT, '"ended"'],
] as const)
  test(`the answer to ${what} is lost: it is written once, and each mail goes out once`, async (t) => {
    const signs = [createHash("sha1").update(script).digest("hex"), ...words];
    let left = 0;
    const loses = (request: Buffer): boolean => left > 0 && signs.every((sign) => request.includes(sign)) && left-- > 0;
    const lab = await faultLab(t, { errand, loses });
    lab.work();
    // So that Redis knows all scripts, and to compare with.
    const quiet = await lab.send("quiet");
    await assertDelivered(lab, quiet, "quiet");
    left = LOST;
    const run = await lab.send("ada");
    await assertDelivered(lab, run, "ada");
    // A result is there for all to see before its worker knows that it is.
    await lab.said(`${run.id}","agent":"courier","ending":"completed"`);
    assert.equal(left, 0, "as many answers were lost as should be");
    assert.deepEqual(await kinds(lab, run.id), await kinds(lab, quiet.id));
    assert.equal((await lab.errand.runs()).runs.length, 2);
  });

async function kinds({ direct }: FaultLab, run: string): Promise<(string | undefined)[]> {
  const entries = await direct.lrange(`{errand:0}:run:${run}:j`, 0, -1);
  return entries.map((entry) => /"kind":"([a-z-]+)"/.exec(entry)?.[1]);
}

test("enqueue over a cut connection is one run, even without an idempotency key", async (t) => {
  const lab = await faultLab(t, { errand });
  await lab.send("quiet");
  lab.proxy.loseReplies(1);
  await lab.send("ada");
  assert.equal((await lab.errand.runs({ identifier: "ada" })).runs.length, 1);
});

test("Redis forgets all scripts, at every point of a run: they are sent in full", async (t) => {
  const lab = await faultLab(t, { errand });
  lab.work();
  for (const point of POINTS) {
    const who = point.join("-");
    const hold = lab.hold(point);
    const run = await lab.send(who);
    await hold.there;
    await lab.direct.script("FLUSH");
    hold.release();
    await assertDelivered(lab, run, who);
  }
});
