/** `errand demo`: the main job on real input, in one process: three users' inbox digests, two of whom must click a link. */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { createErrand, type Errand } from "../../index.ts";
import { removeKeys } from "../../testing/index.ts";
import { clickThrough, openSite, type Site } from "../site.ts";
import { follow, untilAborted } from "./follow.ts";
import { inboxDigest } from "./inbox-digest.ts";
import { PEOPLE, type Person } from "./people.ts";
import { report } from "./report.ts";
import { type Screen, openScreen } from "./screen.ts";
import { openWorld, type World } from "./world.ts";

export interface DemoOptions {
  readonly redis: string;
  /** A mailbox in mbox format; default: a small set of ugly mails. */
  readonly mbox?: string;
  readonly out: NodeJS.WriteStream;
  /** A terminal to press Enter at; without one the demo clicks the links itself. */
  readonly input: NodeJS.ReadStream;
  /** Ends the demo early, leaving nothing behind. */
  readonly signal?: AbortSignal;
}

/** @returns the process's exit code. @throws ErrandError */
export async function demo(options: DemoOptions): Promise<number> {
  const prefix = `errand-demo-${randomUUID().slice(0, 8)}`;
  const world = await openWorld(options.mbox);
  const site = await openSite();
  const agent = inboxDigest("demo/scripted");
  const errand = createErrand({
    redis: options.redis,
    prefix,
    scalekit: {
      envUrl: world.scalekit.url,
      clientId: world.scalekit.clientId,
      clientSecret: world.scalekit.clientSecret,
    },
    models: { demo: { apiKey: world.model.apiKey, baseURL: world.model.url } },
    agents: [agent],
    authorization: { baseUrl: site.baseUrl },
  });
  const screen = openScreen(options.out);
  try {
    site.mount(errand.authorizationHandler({ getUser: site.getUser }));
    screen.say(
      `${options.mbox === undefined ? "Up to " : ""}${world.mails} mails in each inbox. Model and Scalekit are emulated on loopback; queue, SDKs and Errand are real.\n`,
    );
    const worker = errand.worker({ concurrency: 10, wakeEveryMs: 100 });
    await worker.ready();
    const input = { query: "is:unread", max_results: Math.min(world.mails, 100) };
    const runs = await Promise.all(
      PEOPLE.map(async (person) => ({
        person,
        run: await errand.enqueue(agent, { identifier: person.identifier, input }),
      })),
    );
    const finished = await untilAborted(
      Promise.all(
        runs.map(({ person, run }) =>
          follow(person, run, screen, () => void letConnect(person, { world, site, screen, options })),
        ),
      ),
      options.signal,
    );
    screen.done();
    options.out.write(`\n${report(finished)}\n`);
    return 0;
  } finally {
    screen.done();
    await close(errand, world, site);
    await removeKeys(options.redis, prefix);
  }
}

interface Stage {
  readonly world: World;
  readonly site: Site;
  readonly screen: Screen;
  readonly options: DemoOptions;
}

/** A person may open the link; without a terminal, or when Enter is pressed, the demo clicks it. */
async function letConnect(person: Person, { world, site, screen, options }: Stage): Promise<void> {
  const link = site.connectLink(person.identifier, "gmail");
  const alone = options.input.isTTY !== true || options.out.isTTY !== true;
  screen.say(
    `→ ${person.name}: please connect Gmail: ${link}${alone ? "\n  (no terminal here: the demo clicks it)" : "\n  (open it, or press Enter to let the demo click)"}`,
  );
  if (!alone) {
    const connected = world.scalekit
      .waitFor("status", (change) => change.identifier === person.identifier && change.status === "ACTIVE", 3_600_000)
      .then(
        () => false,
        () => false,
      );
    if (!(await Promise.race([connected, enterPressed(options.input)]))) return;
  }
  // The person may have opened the printed link and left it: the demo's browser takes one of its own.
  const own = site.connectLink(person.identifier, "gmail");
  const clicked = await clickThrough(own, (consent) => world.scalekit.approve(consent)).catch(() => false);
  if (!clicked) screen.say(`  ${person.name}'s link could not be clicked; open it yourself.`);
}

function enterPressed(input: NodeJS.ReadStream): Promise<boolean> {
  return new Promise((resolve) => {
    const lines = createInterface({ input });
    lines.once("line", () => {
      lines.close();
      resolve(true);
    });
  });
}

async function close(errand: Errand, world: World, site: Site): Promise<void> {
  await errand.close();
  await Promise.all([world.close(), site.close()]);
}
