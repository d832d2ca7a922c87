/** `errand demo --live`: one real user's inbox digest, with the real Scalekit and a real model. Only the app around it is ours. */
import { randomUUID } from "node:crypto";
import { createErrand, type Errand, type LiveConfig } from "../../index.ts";
import { removeKeys } from "../../testing/index.ts";
import { openSite, type Site } from "../site.ts";
import { follow, untilAborted } from "./follow.ts";
import { inboxDigest } from "./inbox-digest.ts";
import { report } from "./report.ts";
import { openScreen, type Screen } from "./screen.ts";

export interface LiveDemoOptions {
  readonly config: LiveConfig;
  readonly identifier: string;
  /** The name of a Gmail connection. */
  readonly connection: string;
  readonly out: NodeJS.WriteStream;
  /** Ends the demo early, leaving nothing behind. */
  readonly signal?: AbortSignal;
}

/** Bounds what a full inbox costs. */
const MOST_MAILS = 20;
/** In Scalekit's mode "Scalekit users only" nobody comes back from the consent page: the account is looked at this often, in ms. */
const SWEEP_MS = 3_000;

/** @returns the process's exit code. @throws ErrandError of the worker's checks and of `result` */
export async function liveDemo({ config, identifier, connection, out, signal }: LiveDemoOptions): Promise<number> {
  const { redis, scalekit, models, model } = config;
  const prefix = `errand-live-${randomUUID().slice(0, 8)}`;
  const site = await openSite();
  const screen = openScreen(out);
  try {
    const agent = inboxDigest(model, connection);
    const errand = createErrand({
      redis,
      prefix,
      scalekit,
      models,
      agents: [agent],
      authorization: { baseUrl: site.baseUrl },
      sweepMs: SWEEP_MS,
    });
    try {
      const work = async (): Promise<number> => {
        await errand.account(identifier, connection); // wrong names are told before anything else
        await errand.worker({ concurrency: 1, wakeEveryMs: 250 }).ready();
        screen.say(`Real Scalekit (${new URL(scalekit.envUrl).host}), real model (${model}): this costs tokens.\n`);
        return await digest(errand, { agent, identifier, connection, site, screen, out });
      };
      return await untilAborted(work(), signal);
    } finally {
      screen.done();
      await errand.close();
      await removeKeys(redis, prefix);
    }
  } finally {
    screen.done();
    await site.close();
  }
}

interface Stage {
  readonly agent: ReturnType<typeof inboxDigest>;
  readonly identifier: string;
  readonly connection: string;
  readonly site: Site;
  readonly screen: Screen;
  readonly out: NodeJS.WriteStream;
}

async function digest(errand: Errand, { agent, identifier, connection, site, screen, out }: Stage): Promise<number> {
  site.mount(errand.authorizationHandler({ getUser: site.getUser }));
  const input = { query: "is:unread", max_results: MOST_MAILS };
  const run = await errand.enqueue(agent, { identifier, input });
  const onPark = (): void =>
    screen.say(
      `→ ${identifier}: please connect ${connection}, in a browser on this machine: ${site.connectLink(identifier, connection)}`,
    );
  const finished = await follow({ identifier, name: identifier }, run, screen, onPark);
  screen.done();
  out.write(`\n${report([finished])}\n`);
  return 0;
}
