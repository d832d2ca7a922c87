/**
 * The body of a proxied request: JSON, a form as HTML sends it, or multipart. Whatever a value holds (`&`, `=`, line ends, something that
 * looks like a boundary) it stays that one value: URLSearchParams and FormData write it, not we.
 */
import { isObject, type Json, toJson } from "../core/json.ts";

export const BODY_FORMS = ["json", "form", "multipart"] as const;
/** `json`; `form`: application/x-www-form-urlencoded; `multipart`: multipart/form-data, which can carry files. */
export type BodyAs = (typeof BODY_FORMS)[number];

export type FormValue = string | number | boolean | null | undefined;

/** A part of a multipart body that is a file. */
export interface FormFile {
  readonly filename: string;
  /** Default `application/octet-stream`. */
  readonly contentType?: string;
  readonly content: string | Uint8Array;
}

/** The fields of a form. Nothing and null are left out, "" is sent, a list is repeated. */
export type Form = Readonly<Record<string, FormValue | FormFile | readonly (FormValue | FormFile)[]>>;

export interface ProxyBody {
  /** Of the header Content-Type. */
  readonly type: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
}

/** Says what a form cannot carry; for the model as for the author. */
export class BodyError extends Error {}

/** @throws BodyError */
export async function encodeBody(as: BodyAs, given: Json | Form): Promise<ProxyBody> {
  if (as === "json") return { type: "application/json", content: JSON.stringify(toJson(given)) };
  const fields = fieldsOf(given);
  if (as === "form") {
    const made = new URLSearchParams();
    for (const [name, value] of fields) made.append(name, textOf(name, value));
    return { type: "application/x-www-form-urlencoded", content: made.toString() };
  }
  const made = new FormData();
  for (const [name, value] of fields)
    if (isFile(value)) made.append(name.toWellFormed(), blobOf(value), nameOf(value));
    else made.append(name.toWellFormed(), textOf(name, value));
  const written = new Response(made);
  const content = new Uint8Array(await written.arrayBuffer());
  return { type: written.headers.get("content-type") ?? "multipart/form-data", content };
}

function fieldsOf(given: unknown): readonly (readonly [name: string, value: unknown])[] {
  if (!isObject(given)) throw new BodyError("a form is an object of fields");
  return Object.entries(given).flatMap(([name, value]) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.filter((one) => one !== undefined && one !== null).map((one) => [name, one] as const);
  });
}

function textOf(name: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "boolean") return String(value).toWellFormed();
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  const what = JSON.stringify(name.slice(0, 64));
  throw new BodyError(`field ${what} of a form must be a text, a number or a boolean, or a list of them`);
}

function isFile(value: unknown): value is FormFile {
  if (!isObject(value) || typeof value["filename"] !== "string") return false;
  return typeof value["content"] === "string" || value["content"] instanceof Uint8Array;
}

function blobOf({ content, contentType = "application/octet-stream" }: FormFile): Blob {
  if (!/^[\w.+-]{1,64}\/[\w.+-]{1,64}(; ?charset=[\w-]{1,32})?$/.test(contentType))
    throw new BodyError("contentType of a file: expected one such as text/plain");
  return new Blob([typeof content === "string" ? content.toWellFormed() : new Uint8Array(content)], {
    type: contentType,
  });
}

/** A name and no path; servers that store it under that name have been led astray by less. */
function nameOf({ filename }: FormFile): string {
  const name = filename.toWellFormed();
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (name === "" || name.length > 255 || /[\x00-\x1f\x7f/\\]/.test(name) || /^\.+$/.test(name))
    throw new BodyError("filename: expected a name of 1 to 255 characters without slashes and control characters");
  return name;
}
