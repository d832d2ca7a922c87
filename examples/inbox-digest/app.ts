/** The app's side: enqueues a digest for one user and waits for it. Run `errand worker` beside it. */
import { configFromEnv, createErrand } from "../../src/index.ts";
import { inboxDigest } from "./inbox-digest.ts";

const errand = createErrand({ ...configFromEnv(), agents: [inboxDigest] });
const run = await errand.enqueue(inboxDigest, { identifier: process.argv[2] ?? "user_123", input: {} });
for await (const event of run.events()) {
  // This is the moment to write to the user: `errand.connectUrl("gmail")` is a link that never goes stale.
  if (event.type === "run.parked" && event.reason === "account") console.log("waits until the user connects Gmail");
}
const { unread, summary } = await run.result();
console.log(`${unread} unread. ${summary}`);
await errand.close();
