/** The body of a request, as its bytes came; never more of it in memory than asked for, whatever its headers say. */

export type ReadBody = Uint8Array | "too-large" | "too-slow";

export async function readBody(request: Request, mostBytes: number, withinMs: number): Promise<ReadBody> {
  if (Number(request.headers.get("content-length")) > mostBytes) return "too-large";
  const stream: ReadableStream<Uint8Array> | null = request.body;
  const reader = stream?.getReader();
  if (reader === undefined) return new Uint8Array();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"too-slow">((resolve) => {
    timer = setTimeout(() => resolve("too-slow"), withinMs);
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const read = await Promise.race([reader.read(), late]);
      if (read === "too-slow") return read;
      if (read.done) return Buffer.concat(chunks);
      size += read.value.byteLength;
      if (size > mostBytes) return "too-large";
      chunks.push(read.value);
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: whoever sends does not decide when we are done. After the end it does nothing.
    void reader.cancel().catch(() => undefined);
  }
}
