/** Server-sent events of a reply, one after the other. */

/** The data of each event as JSON; `[DONE]` and what is no JSON are left out. @throws what the connection throws when it breaks */
export async function* serverEvents(response: Response): AsyncGenerator<unknown, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) yield* dataOf(line);
  }
  yield* dataOf(rest + decoder.decode());
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
