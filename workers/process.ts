/** What the entries of this folder share: configuration, a worker, a health endpoint, and an orderly end on SIGTERM and SIGINT. */
import { createErrand, loadConfig, type LoadOptions, serveHealth, type WorkerOptions } from "../src/index.ts";

const ALL: LoadOptions["needs"] = ["scalekit", "models"];

export async function runWorker(
  name: string,
  options: WorkerOptions,
  needs: LoadOptions["needs"] = ALL,
): Promise<void> {
  const file = argument("config");
  const { options: config } = await loadConfig({ file, logLevel: "info", ...(needs !== undefined && { needs }) });
  const errand = createErrand(config);
  const worker = errand.worker(options);
  const health = await serveHealth(worker, { port: healthPort() });
  const stop = async (): Promise<void> => {
    await errand.close();
    health.close();
  };
  // The first signal hands runs back at their step's end; the second, whichever it is, ends the process, and their leases do the rest.
  let asked = false;
  const onSignal = (): void => {
    if (asked) process.exit(1);
    asked = true;
    void stop();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, onSignal);
  try {
    await worker.ready();
    process.stdout.write(`errand ${name} is ready\n`);
  } catch (error) {
    process.stderr.write(`errand ${name} did not start: ${error instanceof Error ? error.message : "unknown"}\n`);
    process.exitCode = 1;
    await stop();
  }
}

function healthPort(): number {
  return Number(argument("health-port") ?? 9464);
}

/** `--name=value` */
function argument(name: string): string | undefined {
  const start = `--${name}=`;
  return process.argv.find((word) => word.startsWith(start))?.slice(start.length);
}
