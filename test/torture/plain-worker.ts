/**
 * The same agents on a plain BullMQ worker, as its documentation and the SDKs' examples lead one to write it: each answer and each result
 * is kept in `job.data`, five attempts with a growing delay, all settings as they come but the lock's duration. Paying carries a key.
 */
import { type Job, Worker } from "bullmq";
import { Redis } from "ioredis";
import OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { ScalekitClient } from "@scalekit-sdk/node";
import { PLAIN_QUEUE, type PlainJob } from "./plain-job.ts";
import type { Report, Surroundings } from "./surroundings.ts";
import { CONNECTION, KEY, PAY, TOOL_EFFECTS } from "./tools.ts";

const given = JSON.parse(process.argv[2] ?? "") as Surroundings;
const tell = (report: Report): void => void process.send?.(report);
const { envUrl, clientId, clientSecret } = given.scalekit;
const scalekit = new ScalekitClient(envUrl, clientId, clientSecret);
const openai = new OpenAI(given.model);
const tools = [...TOOL_EFFECTS.keys()].map((name) => ({
  type: "function" as const,
  function: { name, parameters: { type: "object", properties: {}, additionalProperties: true } },
}));

async function work(job: Job<PlainJob>): Promise<string> {
  const messages = [...job.data.messages];
  const keep = async (message: ChatCompletionMessageParam): Promise<void> => {
    messages.push(message);
    await job.updateData({ ...job.data, messages });
  };
  for (;;) {
    const asked = messages.findLast((message) => message.role === "assistant");
    const answered = new Set(messages.flatMap((message) => (message.role === "tool" ? [message.tool_call_id] : [])));
    for (const call of asked?.tool_calls ?? []) {
      if (call.type !== "function" || answered.has(call.id)) continue;
      const { name } = call.function;
      const args = JSON.parse(call.function.arguments) as Record<string, string>;
      const toolInput = name === PAY ? { ...args, [KEY]: `${job.id} ${call.id}` } : args;
      const { data } = await scalekit.actions.executeTool({
        toolName: name,
        identifier: job.data.identifier,
        connector: CONNECTION,
        toolInput,
      });
      await keep({ role: "tool", tool_call_id: call.id, content: JSON.stringify(data) });
    }
    const completion = await openai.chat.completions.create({ model: job.data.agent, messages, tools });
    const message = completion.choices[0]?.message;
    if (message === undefined) throw new Error("the model gave no answer");
    if (message.tool_calls === undefined) return message.content ?? "";
    await keep(message);
  }
}

const connection = new Redis(given.redis, { maxRetriesPerRequest: null });
connection.on("error", () => undefined);
const worker = new Worker<PlainJob, string>(PLAIN_QUEUE, work, {
  connection,
  prefix: given.prefix,
  concurrency: given.concurrency,
  lockDuration: given.leaseMs,
});
worker.on("error", (error) => process.stderr.write(`${error.message}\n`));
worker.on("failed", (job, error) => process.stderr.write(`${job?.id} failed: ${error.message}\n`));

const stop = async (): Promise<void> => {
  await worker.close();
  connection.disconnect();
  if (process.connected) process.disconnect();
};
process.once("SIGTERM", () => void stop());
process.once("disconnect", () => setTimeout(() => process.exit(3), 10_000).unref());
await worker.waitUntilReady();
tell("working");
