/** A little of Gmail's own API, for `actions.request`: messages and profile, read only. */
import type { Mailbox } from "../mailbox/mailbox.ts";
import { MESSAGE_FORMATS, messageResource } from "../mailbox/message.ts";
import type { ProxyAnswer, ProxyRequest } from "./connector.ts";

const ROOT = "/gmail/v1/users/me";

export function gmailProxy({ method, path }: ProxyRequest, mailbox: Mailbox): ProxyAnswer {
  const url = new URL(path, "http://gmail.invalid");
  if (method !== "GET" || !url.pathname.startsWith(ROOT)) return failure(404, "Not Found");
  const rest = url.pathname.slice(ROOT.length);
  if (rest === "/profile") {
    return { status: 200, json: { emailAddress: mailbox.address, messagesTotal: mailbox.messages.length } };
  }
  if (rest === "/messages") {
    const found = mailbox.find({ query: url.searchParams.get("q") ?? "", labels: url.searchParams.getAll("labelIds") });
    const size = Number(url.searchParams.get("maxResults") ?? 100);
    const messages = found.slice(0, size).map(({ id, threadId }) => ({ id, threadId }));
    return { status: 200, json: { messages, resultSizeEstimate: found.length } };
  }
  const message = mailbox.get(/^\/messages\/([^/]+)$/.exec(rest)?.[1] ?? "");
  if (message === undefined) return failure(404, "Requested entity was not found.");
  const format = MESSAGE_FORMATS.find((name) => name === url.searchParams.get("format")) ?? "full";
  return { status: 200, json: messageResource(message, format) };
}

function failure(code: number, message: string): ProxyAnswer {
  return { status: code, json: { error: { code, message } } };
}
