/** A little of Gmail's own API, for `actions.request` and proxy tools: profile, messages, filters, sending. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { parseMail } from "../mailbox/mail.ts";
import type { Mailbox } from "../mailbox/mailbox.ts";
import { MESSAGE_FORMATS, messageResource } from "../mailbox/message.ts";
import type { ProxyAnswer, ProxyRequest } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { brief, needMessage, notFound } from "./gmail-shared.ts";
import { integer, list, text } from "./input.ts";
import { proxyRoutes, type Route } from "./proxy-routes.ts";

const ROOT = "/gmail/v1/users/{user}";
const FILTERS = `${ROOT}/settings/filters`;

const ROUTES: readonly Route<Mailbox>[] = [
  {
    at: `GET ${ROOT}/profile`,
    answer: (_given, { address, messages }) => ({ emailAddress: address, messagesTotal: messages.length }),
  },
  {
    at: `GET ${ROOT}/messages`,
    answer(given, mailbox) {
      const found = mailbox.find({ query: text(given, "q") ?? "", labels: list(given, "labelIds") });
      const size = integer(given, "maxResults", 100, [1, 500]);
      const messages = found.slice(0, size).map(({ id, threadId }) => ({ id, threadId }));
      return { messages, resultSizeEstimate: found.length };
    },
  },
  {
    at: `GET ${ROOT}/messages/{id}`,
    answer(given, mailbox) {
      const format = MESSAGE_FORMATS.find((name) => name === text(given, "format")) ?? "full";
      return messageResource(needMessage(mailbox, text(given, "id")), format);
    },
  },
  {
    at: `POST ${ROOT}/messages/send`,
    async answer(given, mailbox) {
      const raw = Buffer.from(text(given, "raw") ?? "", "base64url");
      if (raw.length === 0)
        throw new ToolFailure(400, "INVALID_ARGUMENT", "'raw' RFC822 payload message string required");
      const mail = await parseMail(raw);
      if (mail.to === "") throw new ToolFailure(400, "INVALID_ARGUMENT", "Recipient address required");
      return brief(await mailbox.send({ to: mail.to, subject: mail.subject, body: mail.text }));
    },
  },
  {
    // Without any, Gmail leaves the name out.
    at: `GET ${FILTERS}`,
    answer: (_given, { filters }) => (filters.length === 0 ? {} : { filter: [...filters] }),
  },
  {
    at: `POST ${FILTERS}`,
    answer({ criteria, action }, mailbox) {
      if (!isObject(criteria) || !isObject(action))
        throw new ToolFailure(400, "INVALID_ARGUMENT", "Filter must have criteria and an action");
      const filter = { id: `filter-${mailbox.filters.length + 1}`, criteria, action };
      mailbox.filters.push(filter);
      return filter;
    },
  },
  {
    at: `DELETE ${FILTERS}/{id}`,
    answer(given, mailbox) {
      const at = mailbox.filters.findIndex(({ id }) => id === given["id"]);
      if (at === -1) throw notFound();
      mailbox.filters.splice(at, 1);
      return {};
    },
  },
];

export const gmailProxy: (request: ProxyRequest, mailbox: Mailbox) => Promise<ProxyAnswer> = proxyRoutes(
  ROUTES,
  ({ status, code, message }) => ({
    error: { code: status, message, errors: [{ message, domain: "global", reason: code }], status: code },
  }),
);

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
