/** A Redis that keeps what it was told: version, durability, memory, clock, scripts (facts/reliability.md F6, F8). */
import { type Check, checker, isAtLeast } from "./check.ts";

export interface RedisFacts {
  /** Host and port. */
  readonly where: string;
  /** ms of one round trip. */
  readonly tookMs: number;
  /** Fields of INFO; empty where it is not allowed. */
  readonly info: Readonly<Record<string, string>>;
  /** Of CONFIG GET; undefined where it is not allowed, as managed services have it. */
  readonly config?: Readonly<Record<string, string>>;
  /** Redis's clock minus ours in ms, and how far off that can be. */
  readonly skewMs: number;
  readonly skewErrorMs: number;
  /** What Redis said to a script of ours that writes; undefined: it works. */
  readonly refused?: string;
  /** What the option `durability` asks for; undefined: none. */
  readonly wanted?: number;
}

/** It could not be reached, in words. */
export type RedisLooked = RedisFacts | { readonly problem: string };

const { ok, warning, failed, skipped } = checker("redis");

export function checkRedis(facts: RedisLooked): Check[] {
  if ("problem" in facts) {
    const todo = "Start it or correct REDIS_URL; nothing else of Redis was checked.";
    return [failed("reachable", facts.problem, todo)];
  }
  return [
    ok("reachable", `${facts.where}, ${Math.round(facts.tookMs)} ms`),
    checkVersion(facts.info),
    checkScripts(facts),
    ...checkReplicas(facts),
    checkAppendOnly(facts),
    checkFsync(facts),
    checkEviction(facts),
    checkMemory(facts.info),
    checkClock(facts),
  ];
}

function checkVersion(info: RedisFacts["info"]): Check {
  const valkey = info["valkey_version"];
  if (valkey !== undefined) return ok("version", `Valkey ${valkey}`);
  const version = info["redis_version"];
  if (version === undefined)
    return skipped("version", "INFO is not allowed", "See yourself that it is Redis 7.0 or newer, or Valkey.");
  if (isAtLeast(version, "7.0")) return ok("version", `Redis ${version}`);
  // Scripts with flags came with 7.0; what must be written when memory is full is written by such scripts.
  return failed(
    "version",
    `Redis ${version}`,
    "Use Redis 7.0 or newer, or Valkey: older ones cannot run Errand's scripts.",
  );
}

function checkScripts({ refused }: RedisFacts): Check {
  if (refused === undefined) return ok("scripts", "Lua runs and may write");
  const todo = /NOPERM/.test(refused)
    ? "Allow this Redis user EVAL, EVALSHA and the commands in them, on keys that begin with your prefix."
    : /READONLY/.test(refused)
      ? "Point REDIS_URL at the primary: this is a replica."
      : /OOM/.test(refused)
        ? "Give Redis more memory: it is full and refuses writes."
        : /^(MOVED|CROSSSLOT|CLUSTERDOWN)/.test(refused)
          ? "Point REDIS_URL at one Redis that is no cluster."
          : "Let Redis run Lua scripts that write: nothing works without.";
  return failed("scripts", refused, todo);
}

function checkReplicas({ info, wanted }: RedisFacts): Check[] {
  const name = "replication";
  const lines = Object.keys(info).filter((field) => /^slave\d+$/.test(field));
  const online = lines.filter((field) => /\bstate=online\b/.test(info[field] ?? "")).length;
  const replicas = lines.length > 0 ? online : Number(info["connected_slaves"] ?? 0);
  const found = `${replicas} replica${replicas === 1 ? "" : "s"}`;
  if (wanted === undefined)
    return replicas === 0
      ? []
      : [
          warning(
            name,
            found,
            "Know that a failover may lose acknowledged runs: replication is asynchronous. Set durability: { replicas: 1 }, so that it has no tool called twice.",
          ),
        ];
  if (info["connected_slaves"] === undefined)
    return [skipped(name, "INFO is not allowed", `See yourself that there are ${wanted}, as durability asks for.`)];
  if (replicas >= wanted) return [ok(name, `${found}, durability asks for ${wanted}`)];
  const todo = "Start more replicas, or lower durability.replicas: until then no tool is called.";
  return [failed(name, `${found}, durability asks for ${wanted}`, todo)];
}

const BY_HAND = "CONFIG GET is not allowed here";

function checkAppendOnly({ config, info }: RedisFacts): Check {
  const name = "appendonly";
  if (info["aof_last_write_status"] === "err")
    return failed(
      name,
      "the last write to the append-only file failed",
      "Look at the disk of Redis: it is full or broken.",
    );
  const value = config?.[name] ?? (info["aof_enabled"] === "1" ? "yes" : undefined);
  if (value === "yes") return ok(name, "yes");
  if (value !== undefined)
    return failed(
      name,
      value,
      "Set appendonly to yes (CONFIG SET appendonly yes, and in redis.conf): runs are nowhere else.",
    );
  return skipped(
    name,
    BY_HAND,
    "Look in your provider's console that writes are kept by an append-only file or a log.",
  );
}

function checkFsync({ config }: RedisFacts): Check {
  const name = "appendfsync";
  const value = config?.[name];
  if (value === undefined)
    return skipped(name, BY_HAND, "Look in your provider's console that it is everysec or always.");
  if (config?.["appendonly"] === "no")
    return skipped(name, `${value}, but there is no append-only file`, "Set appendonly to yes first.");
  if (value === "always") return ok(name, "always: a power loss loses nothing acknowledged");
  if (value === "everysec") return ok(name, "everysec: a power loss may lose the last second");
  return warning(name, value, "Set appendfsync to everysec: a power loss may lose half a minute.");
}

function checkEviction({ config, info }: RedisFacts): Check {
  const name = "maxmemory-policy";
  const value = config?.[name] ?? info["maxmemory_policy"];
  if (value === undefined) return skipped(name, BY_HAND, "Look in your provider's console that it is noeviction.");
  if (value === "noeviction") return ok(name, value);
  return failed(name, value, "Set maxmemory-policy to noeviction: otherwise a full Redis deletes runs.");
}

function checkMemory(info: RedisFacts["info"]): Check {
  const name = "memory";
  const [used, most] = [Number(info["used_memory"]), Number(info["maxmemory"])];
  if (!Number.isFinite(used) || !Number.isFinite(most))
    return skipped(name, "INFO does not tell", "Look in your provider's console how full it is.");
  if (most === 0) return ok(name, `${megabytes(used)} used, no limit`);
  const share = used / most;
  const found = `${megabytes(used)} of ${megabytes(most)} used (${Math.round(share * 100)} %)`;
  if (share >= 0.95) return failed(name, found, "Raise maxmemory now: a full Redis refuses new runs.");
  return share >= 0.75
    ? warning(name, found, "Raise maxmemory, or keep ended runs for less long (`keepMs`).")
    : ok(name, found);
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

/** Due moments are told by Redis's clock, BullMQ's delays by the worker's: a worker that is hours off runs things hours off. */
function checkClock({ skewMs, skewErrorMs }: RedisFacts): Check {
  const name = "clock";
  const certain = Math.max(0, Math.abs(skewMs) - skewErrorMs);
  const found = `${Math.round(Math.abs(skewMs))} ms ${skewMs < 0 ? "ahead of" : "behind"} Redis`;
  const todo = "Set this machine's clock by NTP, and that of Redis.";
  if (certain > 5_000) return failed(name, found, todo);
  return certain > 1_000 ? warning(name, found, todo) : ok(name, found);
}
