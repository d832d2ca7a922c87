/** The real SDK against a scripted model, as the tests of this folder use it. */
import type { TestContext } from "node:test";
import OpenAI from "openai";
import type { ChatCompletion, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { type Script, type ScriptedModel, startScriptedModel } from "../../../src/testing/model/index.ts";

export interface Lab {
  readonly model: ScriptedModel;
  readonly client: OpenAI;
  readonly ask: (messages?: ChatCompletionMessageParam[]) => Promise<ChatCompletion>;
}

/** A model that closes with the test, and a client that never tries twice. */
export async function lab(t: TestContext, script: Script): Promise<Lab> {
  const model = await startScriptedModel({ script });
  t.after(() => model.close());
  const client = new OpenAI({ apiKey: model.apiKey, baseURL: model.url, maxRetries: 0 });
  const ask: Lab["ask"] = (messages = [{ role: "user", content: "Hello" }]) =>
    client.chat.completions.create({ model: "m-1", messages });
  return { model, client, ask };
}
