/** The worker processes of a torture: so many at all times, whatever is done to them. Who dies is replaced. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as after } from "node:timers/promises";
import type { Report, Surroundings } from "./surroundings.ts";

export interface Crew {
  /** Resolves when all of them work. */
  ready(): Promise<void>;
  /** `who` in [0, 1) picks one of them. Each answers the victim's pid. */
  kill(who: number): Promise<number>;
  /** SIGSTOP, and SIGCONT after so long. Resolves then. */
  pause(who: number, ms: number): Promise<number>;
  /** SIGTERM, as in a deployment: another one starts at once. Resolves when it has ended. */
  terminate(who: number): Promise<number>;
  /** SIGTERM for all; resolves when none is left. */
  stop(): Promise<void>;
  /** SIGKILL for all. Idempotent. */
  close(): Promise<void>;
  readonly counts: Readonly<Counts>;
  /** Ends that nobody had asked for. */
  readonly surprises: readonly string[];
}

interface Counts {
  started: number;
  /** Redis was away while they started. */
  notStarted: number;
  /** Did not end within `PATIENCE_MS` of SIGTERM, and were killed. */
  lateEnds: number;
}

interface Member {
  readonly child: ChildProcess;
  readonly working: Promise<void>;
  readonly ended: Promise<void>;
  is: "up" | "paused" | "leaving";
}

const PATIENCE_MS = 40_000;

/** @param file JavaScript
 * @param log a file descriptor for what they print */
export function startCrew(file: string, surroundings: Surroundings, size: number, log: number): Crew {
  const counts: Counts = { started: 0, notStarted: 0, lateEnds: 0 };
  const surprises: string[] = [];
  const members = new Set<Member>();
  let closing = false;

  const enlist = (): void => {
    if (closing) return;
    counts.started += 1;
    const child = spawn(process.execPath, [file, JSON.stringify(surroundings)], {
      stdio: ["ignore", log, log, "ipc"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    let started = true;
    const ended = once(child, "close").then(([code, signal]) => {
      members.delete(member);
      if (!started) counts.notStarted += 1;
      else if (member.is !== "leaving") surprises.push(`worker ${child.pid} ended by itself: ${code ?? signal}`);
      if (member.is !== "leaving") enlist();
    });
    const working = new Promise<void>((resolve) => {
      child.on("message", (report: Report) => {
        if (report === "not-started") started = false;
        else resolve();
      });
    });
    const member: Member = { child, working, ended, is: "up" };
    members.add(member);
  };
  for (let i = 0; i < size; i++) enlist();

  const ready = async (): Promise<void> => {
    for (;;) {
      const now = [...members];
      await Promise.all(now.map((member) => Promise.race([member.working, member.ended])));
      if (now.every((member) => members.has(member)) && members.size >= size) return;
    }
  };
  /** Takes one that is at work and not yet hit; waits for one if there is none. */
  const take = async (who: number, as: Member["is"]): Promise<Member> => {
    for (;;) {
      const up = [...members].filter((member) => member.is === "up");
      const found = up[Math.floor(who * up.length)];
      if (found === undefined) {
        await after(100);
        continue;
      }
      await Promise.race([found.working, found.ended]);
      if (!members.has(found) || found.is !== "up") continue;
      found.is = as;
      return found;
    }
  };
  const leave = async (member: Member, signal: "SIGKILL" | "SIGTERM"): Promise<number> => {
    member.is = "leaving";
    member.child.kill("SIGCONT");
    member.child.kill(signal);
    enlist();
    const late = new AbortController();
    const patience = after(PATIENCE_MS, undefined, { signal: late.signal }).then(
      () => {
        counts.lateEnds += 1;
        member.child.kill("SIGKILL");
      },
      () => undefined,
    );
    await member.ended;
    late.abort();
    await patience;
    return member.child.pid ?? 0;
  };
  return {
    counts,
    surprises,
    ready,
    kill: async (who) => leave(await take(who, "leaving"), "SIGKILL"),
    terminate: async (who) => leave(await take(who, "leaving"), "SIGTERM"),
    pause: async (who, ms) => {
      const member = await take(who, "paused");
      member.child.kill("SIGSTOP");
      await after(ms);
      member.child.kill("SIGCONT");
      if (member.is === "paused") member.is = "up";
      return member.child.pid ?? 0;
    },
    stop: async () => {
      closing = true;
      await Promise.all([...members].map((member) => leave(member, "SIGTERM")));
    },
    close: async () => {
      closing = true;
      await Promise.all([...members].map((member) => leave(member, "SIGKILL")));
    },
  };
}
