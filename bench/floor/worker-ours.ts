/** A process with an Errand worker, as an app would start it. */
import { createErrand, type Errand, type ErrandOptions } from "../../src/index.ts";
import { serve } from "./child.ts";
import { deskAgent } from "./scene.ts";

let errand: Errand | undefined;

serve(
  {
    start: async ({ options, concurrency }: { options: Omit<ErrandOptions, "agents">; concurrency: number }) => {
      errand = createErrand({ ...options, agents: [deskAgent] });
      await errand.worker({ concurrency }).ready();
    },
    /** µs of CPU so far. */
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  },
  () => errand?.close(),
);
