/** A process with the Scalekit emulator: one connection, three small tools that answer at once, an account for each person. */
import { defineConnector } from "../../src/testing/connectors/connector.ts";
import { type ScalekitEmulator, startScalekitEmulator } from "../../src/testing/index.ts";
import type { AddedFault } from "../../src/testing/scalekit/index.ts";
import { serve } from "./child.ts";
import { CONNECTION, MARK, PARAMETERS, person, RESULT_CHARS, TOOLS } from "./scene.ts";

const ROW = { subject: "Printer on the third floor", from: "ann@example.com", opened: "2026-11-20T09:12:00Z" };
const result = { mark: MARK, rows: Array.from({ length: 1 }, () => ROW), note: "" };
result.note = "x".repeat(Math.max(0, RESULT_CHARS - JSON.stringify(result).length));

const desk = defineConnector({
  name: CONNECTION,
  title: "Desk",
  scopes: ["desk.read"],
  tools: TOOLS.map((name) => ({
    name,
    description: `${name}: looks into the tickets of the connected desk account, newest first, by query or labels.`,
    parameters: PARAMETERS,
    versioned: true,
    run: () => result,
  })),
  world: () => ({}),
});

let emulator: ScalekitEmulator | undefined;
let hold: { readonly fault: AddedFault; readonly release: () => void } | undefined;

/** From now on each tool call waits, before it does anything. */
function holdCalls(): void {
  let release = (): void => undefined;
  const until = new Promise<void>((resolve) => (release = resolve));
  const fault = emulator?.faults.add({ method: "ExecuteTool", times: Infinity, until });
  if (fault !== undefined) hold = { fault, release };
}

serve(
  {
    start: async (people: number) => {
      emulator = await startScalekitEmulator({ connections: [{ name: CONNECTION, connector: desk }] });
      for (let i = 0; i < people; i++) emulator.connect(person(i), CONNECTION);
      return { envUrl: emulator.url, clientId: emulator.clientId, clientSecret: emulator.clientSecret };
    },
    /** The emulator remembers every call. */
    forget: () => emulator?.calls.clear(),
    hold: holdCalls,
    held: () => hold?.fault.hits ?? 0,
    release: () => {
      hold?.fault.remove();
      hold?.release();
    },
  },
  () => emulator?.close(),
);
