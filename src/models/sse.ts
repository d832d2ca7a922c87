/** Server-sent events of a reply, one after the other. */

/** The data of each event as JSON; `[DONE]` and what is no JSON are left out. @throws what the connection throws when it breaks */
export async function* serverEvents(response: Response): AsyncGenerator<unknown, void, void> {
  const decoder = new TextDecoder();
  // Of the line that is not whole yet: looked through once, however many pieces a long one comes in.
  let line: string[] = [];
  let held = "";
  for await (const bytes of response.body ?? []) {
    const text = held + decoder.decode(bytes as Uint8Array, { stream: true });
    // Its second half may be the next piece's first character.
    held = text.endsWith("\r") ? "\r" : "";
    const lines = (held === "" ? text : text.slice(0, -1)).split(/\r\n|\n|\r/);
    const last = lines.pop() ?? "";
    for (const end of lines) {
      yield* dataOf(line.join("") + end);
      line = [];
    }
    line.push(last);
  }
  yield* dataOf(line.join("") + held + decoder.decode());
}

/** All three protocols send an event's data in one line. */
function* dataOf(line: string): Generator<unknown, void, void> {
  if (!line.startsWith("data:")) return;
  try {
    yield JSON.parse(line.slice("data:".length));
  } catch {
    // `[DONE]`, or half an event of a reply that broke off: whether all was there is seen from the events.
  }
}
