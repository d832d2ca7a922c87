/**
 * A process with a plain BullMQ worker: the same loop as a user would write it in one job, without any checkpoint. Model calls go
 * through openai's SDK as it comes, tool calls through Errand's own single-shot client (the SDK's would cost more, and may send a
 * call four times).
 */
import { type Job, Worker } from "bullmq";
import { Redis } from "ioredis";
import OpenAI from "openai";
import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources/chat/completions";
import type { ToolUse } from "../../src/core/tool-use.ts";
import { createAccounts } from "../../src/scalekit/accounts.ts";
import { createScalekit, type ScalekitOptions } from "../../src/scalekit/client.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import { serve } from "./child.ts";
import { ANSWER, CONNECTION, INSTRUCTIONS, MODEL, TOOLS } from "./scene.ts";

export interface FloorOptions {
  readonly redis: string;
  readonly prefix: string;
  readonly queue: string;
  readonly scalekit: ScalekitOptions;
  readonly model: { readonly apiKey: string; readonly baseURL: string };
  readonly concurrency: number;
  /** Whose tools stand in the code, for jobs that do not list them. */
  readonly example: string;
}

export interface FloorJob {
  readonly identifier: string;
  readonly query: string;
  /** Look at the account and list its tools first, as Scalekit's examples do and Errand does. */
  readonly prepares: boolean;
}

const MOST_TURNS = 10;
const uses: readonly ToolUse[] = TOOLS.map((name) => ({ name, effect: "read" }));
let completed = 0;
let stop: () => Promise<void> = async () => undefined;

async function start({
  redis: url,
  prefix,
  queue,
  scalekit: options,
  model,
  concurrency,
  example,
}: FloorOptions): Promise<void> {
  const scalekit = createScalekit(options);
  const accounts = createAccounts(scalekit);
  const toolbox = createToolbox(scalekit, { check: () => [], clock: { monotonic: () => performance.now() } });
  const openai = new OpenAI(model);

  const look = async (identifier: string): Promise<void> => {
    const looked = await accounts.look(identifier, [CONNECTION]);
    if (!looked.ok || looked.accounts[0]?.status !== "ACTIVE") throw new Error("the account is not ACTIVE");
  };
  const list = async (identifier: string): Promise<ChatCompletionTool[]> => {
    const listed = await toolbox.list({ identifier, connections: [CONNECTION], tools: uses });
    if (!listed.ok || listed.missing.length > 0) throw new Error("tools are missing");
    return listed.tools.map(({ name, description, parameters }) => ({
      type: "function",
      function: { name, description, parameters },
    }));
  };
  const call = async (identifier: string, run: string, id: string, tool: string, text: string): Promise<string> => {
    const args = JSON.parse(text) as { readonly [key: string]: string };
    const outcome = await toolbox.send(
      { run, call: id, tool, args, connection: CONNECTION, identifier },
      { timeoutMs: 60_000, signal: new AbortController().signal },
    );
    if (outcome.kind !== "ok") throw new Error(`${tool}: ${outcome.kind}`);
    return JSON.stringify(outcome.data);
  };
  const inCode = await list(example);

  const work = async (job: Job<FloorJob>): Promise<string> => {
    const { identifier, query, prepares } = job.data;
    if (prepares) await look(identifier);
    const tools = prepares ? await list(identifier) : inCode;
    const messages: ChatCompletionMessageParam[] = [
      { role: "system", content: INSTRUCTIONS },
      { role: "user", content: JSON.stringify({ query }) },
    ];
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const completion = await openai.chat.completions.create({ model: MODEL, messages, tools, tool_choice: "auto" });
      const message = completion.choices[0]?.message;
      if (message === undefined) throw new Error("the model gave no answer");
      if (message.tool_calls === undefined || message.tool_calls.length === 0) {
        if (message.content === ANSWER) completed++;
        return message.content ?? "";
      }
      messages.push(message);
      for (const wanted of message.tool_calls) {
        if (wanted.type !== "function") continue;
        const { name, arguments: args } = wanted.function;
        messages.push({
          role: "tool",
          tool_call_id: wanted.id,
          content: await call(identifier, job.id ?? "", wanted.id, name, args),
        });
      }
    }
    throw new Error("too many turns");
  };

  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const worker = new Worker<FloorJob, string>(queue, work, { connection, prefix, concurrency });
  worker.on("failed", (_job, error) => console.error(`floor: ${error.message}`));
  stop = async () => {
    await worker.close(true);
    connection.disconnect();
    await scalekit.close();
  };
  await worker.waitUntilReady();
}

serve(
  {
    start,
    completed: () => completed,
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  },
  () => stop(),
);
