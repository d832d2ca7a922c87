/** docker-compose.yml keeps its promises: durable, closed to the network, healthy before the worker starts. Read as text. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const compose = read("docker-compose.yml");

/** The lines that stand under `key:` at this depth of two spaces each. */
function section(text: string, key: string, depth: number): string {
  const lines = text.split("\n");
  const start = lines.indexOf(`${"  ".repeat(depth)}${key}:`);
  assert.ok(start >= 0, `${key} is there`);
  const inside = new RegExp(`^(\\s*$|\\s*#| {${depth * 2 + 1},})`);
  const length = lines.slice(start + 1).findIndex((line) => !inside.test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

const services = section(compose, "services", 0);
const redis = section(services, "redis", 1);
const worker = section(services, "worker", 1);

test("Redis writes down what it is told, never evicts, and keeps its data in a volume", () => {
  assert.match(redis, /^ {4}command: valkey-server .*--appendonly yes/m);
  assert.match(redis, /^ {4}command: valkey-server .*--maxmemory-policy noeviction$/m);
  assert.match(section(redis, "volumes", 2), /^ {6}- redis:\/data$/m);
  assert.match(section(compose, "volumes", 0), /^ {2}redis:$/m);
});

test("every published port is on loopback", () => {
  const ports = [redis, worker]
    .filter((service) => service.includes(" ports:"))
    .flatMap((service) => section(service, "ports", 2).split("\n"));
  assert.ok(ports.length > 0);
  for (const port of ports) assert.match(port, /^ {6}- "127\.0\.0\.1:\d+:\d+"$/);
});

test("the workers wait for a healthy Redis and run entries that exist, with a configuration that exists", () => {
  assert.match(section(redis, "healthcheck", 2), /valkey-cli ping/);
  assert.match(section(worker, "environment", 2), /REDIS_URL: redis:\/\/redis:6379/);
  assert.match(section(worker, "healthcheck", 2), /\/readyz/);
  for (const service of [worker, section(services, "wake", 1), section(services, "schedule", 1)]) {
    assert.match(section(service, "depends_on", 2), /redis:\n +condition: service_healthy$/m);
    const command = /command: \["node", "scripts\/run\.mjs", "([^"]+)", "--config=([^"]+)"\]/.exec(service);
    for (const file of [command?.[1], command?.[2]]) assert.ok(read(file ?? "no entry").length > 0, `${file} exists`);
  }
});

test(".env.example names every variable and holds no secret", () => {
  const names = [...read(".env.example").matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
  assert.deepEqual(
    names.map(([name]) => name),
    [
      "REDIS_URL",
      "SCALEKIT_ENV_URL",
      "SCALEKIT_CLIENT_ID",
      "SCALEKIT_CLIENT_SECRET",
      "OPENAI_API_KEY",
      "OPENAI_BASE_URL",
      "OPENAI_PROTOCOL",
      "OPENAI_GATEWAY",
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_BASE_URL",
      "ERRAND_MODEL",
      "ERRAND_BASE_URL",
      "SCALEKIT_WEBHOOK_SECRET",
      "ERRAND_PREFIX",
      "LOG_LEVEL",
    ],
  );
  for (const [name, value] of names) if (/SECRET|KEY|ID$/.test(name ?? "")) assert.equal(value, "");
});
