/** What a prompt says of the calls before it. */
import type { ModelRequest } from "../../src/core/messages.ts";
import type { Hold } from "./checker.ts";
import type { World } from "./world.ts";

/** Every committed call is answered once, in order, right after its turn. @returns call → what the model is told */
export function transcript(world: World, hold: Hold, request: ModelRequest): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const { messages } = request;
  let expected: readonly string[] = [];
  let at = 0;
  for (const message of messages) {
    if (message.role === "tool") {
      if (message.callId !== expected[at])
        world.broken(
          "every call is answered once",
          `${hold.run}: ${message.callId} instead of ${expected[at] ?? "none"}`,
        );
      at++;
      texts.set(message.callId, message.text);
      continue;
    }
    if (at < expected.length)
      world.broken("every call is answered once", `${hold.run}: no answer to ${expected[at] ?? ""}`);
    expected = message.role === "assistant" ? message.callIds : [];
    at = 0;
  }
  if (at < expected.length)
    world.broken("every call is answered once", `${hold.run}: no answer to ${expected[at] ?? ""}`);
  return texts;
}
