/** What a job of the plain BullMQ worker holds. */
import type { JobsOptions } from "bullmq";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type { PlannedRun } from "./plan.ts";

export interface PlainJob {
  readonly agent: string;
  readonly identifier: string;
  /** What was said so far: its checkpoint. */
  readonly messages: readonly ChatCompletionMessageParam[];
}

export const PLAIN_QUEUE = "plain";

export const PLAIN_OPTIONS: JobsOptions = { attempts: 5, backoff: { type: "exponential", delay: 500 } };

export function plainJob({ key, agent, identifier }: PlannedRun): PlainJob {
  return {
    agent,
    identifier,
    messages: [
      { role: "system", content: "Do what is asked." },
      { role: "user", content: JSON.stringify({ key }) },
    ],
  };
}
