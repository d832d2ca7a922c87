/** The other side of bench:models, in a process of its own, so that its work is not counted: one fixed answer for each protocol. */
import { createServer } from "node:http";

const TEXT = "The inbox holds three unread mails, of which one needs an answer today. ".repeat(10);
const ANSWERS: Readonly<Record<string, unknown>> = {
  "/v1/chat/completions": {
    id: "c",
    model: "m",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: TEXT } }],
    usage: { prompt_tokens: 5_000, completion_tokens: 200 },
  },
  "/v1/responses": {
    id: "r",
    object: "response",
    model: "m",
    status: "completed",
    output: [
      {
        type: "message",
        id: "msg_1",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: TEXT, annotations: [] }],
      },
    ],
    usage: { input_tokens: 5_000, output_tokens: 200 },
  },
  "/v1/messages": {
    id: "m",
    type: "message",
    role: "assistant",
    model: "m",
    content: [{ type: "text", text: TEXT }],
    stop_reason: "end_turn",
    usage: { input_tokens: 5_000, output_tokens: 200 },
  },
};

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(ANSWERS[request.url ?? ""] ?? {}));
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" && address !== null ? address.port : 0);
});
process.once("disconnect", () => process.exit(0));
