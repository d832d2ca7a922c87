/** Gmail's tools on a Mailbox. Inputs are snake_case, outputs the camelCase of Gmail's API, as the real tools do it. */
import { Mailbox } from "../mailbox/mailbox.ts";
import { defineConnector, type Connector } from "./connector.ts";
import { GMAIL_READ_TOOLS } from "./gmail-read.ts";
import { GMAIL_WRITE_TOOLS } from "./gmail-write.ts";

export const gmail: Connector = defineConnector<Mailbox>({
  name: "gmail",
  title: "Gmail",
  scopes: [
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/gmail.modify",
    "https://www.googleapis.com/auth/gmail.send",
  ],
  tools: [...GMAIL_READ_TOOLS, ...GMAIL_WRITE_TOOLS],
  world: ({ identifier, now }) => new Mailbox(identifier.includes("@") ? identifier : `${identifier}@example.com`, now),
});
