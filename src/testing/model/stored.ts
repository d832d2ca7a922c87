/**
 * What a Responses server keeps: answers that a later request begins behind (`previous_response_id`), and answers that are worked on in the
 * background until somebody has asked for them often enough.
 */
import { isObject, type JsonObject } from "../../core/json.ts";
import { httpError, raw } from "./faults.ts";
import type { Reply } from "./reply.ts";

/** A request about a stored answer. `nth` counts those of this kind for this id, from 1. */
export interface Lookup {
  readonly id: string;
  readonly what: "retrieve" | "cancel";
  readonly nth: number;
  /** Of its address, without the question mark. */
  readonly query: string;
}

export interface StoredResponses {
  /** The body as a model is shown it: with what stands before it. One that begins behind an unknown answer comes back as it is. */
  whole(body: unknown): unknown;
  /** @param conversation the input items that it answers */
  keep(answer: JsonObject, conversation: readonly unknown[], background?: Background): void;
  lookup(method: string, path: string, query: string): Lookup | undefined;
  answer(lookup: Lookup): Reply;
  /** As if their time were over; without an id all of them. */
  forget(id?: string): void;
}

export interface Background {
  /** So many times it is still being worked on when it is asked for. */
  readonly polls: number;
  /** Monotonic ms before which it is not there. */
  readonly readyAt: number;
}

interface Stored {
  readonly answer: JsonObject;
  readonly conversation: readonly unknown[];
  readonly readyAt: number;
  readonly isBackground: boolean;
  polls: number;
  cancelled: boolean;
}

const PATH = /^\/v1\/responses\/([^/]+)(\/cancel)?$/;

export function storedResponses(): StoredResponses {
  const all = new Map<string, Stored>();
  const counts = new Map<string, number>();
  return {
    whole(body) {
      const id = isObject(body) ? body["previous_response_id"] : undefined;
      const before = typeof id === "string" ? all.get(id) : undefined;
      if (!isObject(body) || before === undefined || statusOf(before) !== "completed") return body;
      const { previous_response_id: _id, input, ...rest } = body;
      return { ...rest, input: [...before.conversation, ...listOf(before.answer["output"]), ...itemsOf(input)] };
    },
    keep(answer, conversation, background) {
      const { polls = 0, readyAt = 0 } = background ?? {};
      const isBackground = background !== undefined;
      all.set(textOf(answer["id"]), { answer, conversation, polls, readyAt, isBackground, cancelled: false });
    },
    lookup(method, path, query) {
      const [, id, cancel] = PATH.exec(path) ?? [];
      if (id === undefined || method !== (cancel === undefined ? "GET" : "POST")) return undefined;
      const what = cancel === undefined ? "retrieve" : "cancel";
      const nth = (counts.get(`${what} ${id}`) ?? 0) + 1;
      counts.set(`${what} ${id}`, nth);
      return { id: decodeURIComponent(id), what, nth, query };
    },
    answer({ id, what }) {
      const stored = all.get(id);
      if (stored === undefined)
        return httpError(404, { message: `Response with id '${id}' not found.`, param: "response_id" });
      if (what === "cancel") {
        if (!stored.isBackground)
          return httpError(400, { message: "Cannot cancel a synchronous response.", param: "response_id" });
        // What is done stays done.
        stored.cancelled ||= statusOf(stored) === "in_progress";
      }
      const now = pending(stored, statusOf(stored));
      if (what === "retrieve") stored.polls--;
      return raw({ body: JSON.stringify(now) });
    },
    forget(id) {
      if (id === undefined) all.clear();
      else all.delete(id);
    },
  };
}

function statusOf({ answer, polls, readyAt, cancelled }: Stored): string {
  if (cancelled) return "cancelled";
  return polls > 0 || performance.now() < readyAt ? "in_progress" : textOf(answer["status"]);
}

function pending(stored: Stored, status: string): JsonObject {
  return status === stored.answer["status"] ? stored.answer : unfinished(stored.answer, status);
}

/** The same answer before it is there. */
export function unfinished({ usage: _usage, ...answer }: JsonObject, status: string): JsonObject {
  return { ...answer, status, incomplete_details: null, output: [], usage: null };
}

/** The input of a request as items. */
export function itemsOf(input: unknown): readonly unknown[] {
  return typeof input === "string" ? [{ type: "message", role: "user", content: input }] : listOf(input);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
