/** The demo's outside world, all on loopback: an emulated Scalekit with mailboxes, and a scripted model. The SDKs that talk to it are real. */
import { readFile } from "node:fs/promises";
import { ErrandError } from "../../index.ts";
import {
  inboxDigestScript,
  type Mail,
  readMbox,
  sampleMails,
  type ScalekitEmulator,
  type ScriptedModel,
  startScalekitEmulator,
  startScriptedModel,
} from "../../testing/index.ts";
import { PEOPLE } from "./people.ts";

export interface World {
  readonly scalekit: ScalekitEmulator;
  readonly model: ScriptedModel;
  /** Mails in each mailbox. */
  readonly mails: number;
  close(): Promise<void>;
}

/** A model takes its time; so that a person can watch. */
const LATENCY_MS = 250;

export async function openWorld(mbox: string | undefined): Promise<World> {
  const mails = mbox === undefined ? await sampleMails() : await mailsOf(mbox);
  const scalekit = await startScalekitEmulator({ connections: ["gmail"], appName: "the Errand demo" });
  const model = await startScriptedModel({
    script: inboxDigestScript({ maxResults: 100, reads: 8 }),
    latencyMs: LATENCY_MS,
  });
  for (const [i, { identifier, plight }] of PEOPLE.entries()) {
    // The user's own file goes to everybody whole; of our samples each person gets other ones.
    scalekit.mailbox(identifier).load(mbox === undefined ? mails.slice(i, mails.length - i) : mails);
    if (plight !== "not-connected") scalekit.connect(identifier, "gmail");
    if (plight === "lost-on-the-way") loseAfterFirstCall(scalekit, identifier);
  }
  const close = async (): Promise<void> => {
    await Promise.all([model.close(), scalekit.close()]);
  };
  return { scalekit, model, mails: mails.length, close };
}

/** The provider takes the access away in the middle of the run: the next call is answered with 401. */
function loseAfterFirstCall(scalekit: ScalekitEmulator, identifier: string): void {
  const stop = scalekit.on("execute", (execution) => {
    if (execution.identifier !== identifier) return;
    stop();
    scalekit.revoke(identifier, "gmail", { expire: "refused" });
  });
}

async function mailsOf(path: string): Promise<readonly Mail[]> {
  let file: Uint8Array;
  try {
    file = await readFile(path);
  } catch (error) {
    throw new ErrandError(
      "option-invalid",
      `--mbox: expected a readable file in mbox format, got ${JSON.stringify(path)} (${codeOf(error)}). Most mail programs export a folder as mbox.`,
    );
  }
  const mails = await readMbox(file);
  if (mails.length > 0) return mails;
  throw new ErrandError(
    "option-invalid",
    `--mbox: ${JSON.stringify(path)} holds no mail: expected mbox, in which each mail begins with a line "From <address> <date>".`,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
}
