/** Gmail's tools on a Mailbox. Inputs are snake_case, outputs the camelCase of Gmail's API, as the real tools do it. */
import { Mailbox } from "../mailbox/mailbox.ts";
import { defineConnector, type Connector } from "./connector.ts";
import { gmailProxy } from "./gmail-proxy.ts";
import { GMAIL_READ_TOOLS } from "./gmail-read.ts";
import { GMAIL_SEND_TOOLS } from "./gmail-send.ts";
import { GMAIL_ORGANISE_TOOLS } from "./gmail-organise.ts";

const READ = "https://www.googleapis.com/auth/gmail.readonly";
const MODIFY = "https://www.googleapis.com/auth/gmail.modify";
const SEND = "https://www.googleapis.com/auth/gmail.send";

export const gmail: Connector = defineConnector<Mailbox>({
  name: "gmail",
  title: "Gmail",
  scopes: [READ, MODIFY, SEND],
  tools: [
    ...GMAIL_READ_TOOLS.map((tool) => ({ ...tool, scopes: [READ, MODIFY] })),
    ...GMAIL_SEND_TOOLS.map((tool) => ({ ...tool, scopes: [SEND, MODIFY] })),
    ...GMAIL_ORGANISE_TOOLS.map((tool) => ({ ...tool, scopes: [MODIFY] })),
  ],
  world: ({ identifier, now }) => new Mailbox(identifier.includes("@") ? identifier : `${identifier}@example.com`, now),
  proxy: gmailProxy,
});
