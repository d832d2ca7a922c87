/**
 * Images and files in what a tool answered: MCP's content parts (`{ type: "image", data, mimeType }`, a resource with a `blob`), wherever
 * they stand. In the text that the model reads each becomes a short note; adapters whose protocol takes media show it beside the text.
 */
import { changed, isObject, type Json } from "./json.ts";

export interface Media {
  readonly kind: "image" | "file";
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
  readonly name?: string;
}

/** More would fill a model's context with pictures of one call. */
const MOST = 8;

/** The same data with a note in the place of each, and what can be shown. */
export function splitMedia(data: Json): { readonly data: Json; readonly media: readonly Media[] } {
  const media: Media[] = [];
  const walk = (value: Json): Json => {
    if (!isObject(value)) return changed(value, walk);
    const found = mediaIn(value);
    if (found !== undefined && media.length < MOST) media.push(found);
    return noteOf(value, found) ?? changed(value, walk);
  };
  // The data itself is given back where nothing was found.
  return { data: walk(data), media };
}

function mediaIn(value: Readonly<Record<string, unknown>>): Media | undefined {
  const { type, resource } = value;
  const holder = type === "resource" && isObject(resource) ? resource : value;
  const { data, blob, mimeType, name, filename, uri } = holder;
  const bytes = data ?? blob;
  const isKnown = type === "image" || type === "file" || type === "resource";
  if (!isKnown || typeof bytes !== "string" || typeof mimeType !== "string" || !isBase64(bytes)) return undefined;
  if (!/^[a-z]+\/[\w.+-]{1,80}$/i.test(mimeType)) return undefined;
  const called = [name, filename, uri].find((one) => typeof one === "string" && one !== "");
  return {
    kind: mimeType.toLowerCase().startsWith("image/") ? "image" : "file",
    mimeType: mimeType.toLowerCase(),
    data: bytes,
    ...(typeof called === "string" && { name: called.slice(-100) }),
  };
}

/** Sounds are told of as well: bytes as text are of no use to any model. */
function noteOf(value: Readonly<Record<string, unknown>>, found: Media | undefined): string | undefined {
  if (found !== undefined)
    return `[${found.kind} ${found.mimeType}, ${bytesOf(found.data)} bytes${found.name === undefined ? "" : `, ${found.name}`}]`;
  const { type, data, mimeType } = value;
  if (type !== "audio" || typeof data !== "string" || !isBase64(data)) return undefined;
  return `[audio ${typeof mimeType === "string" ? mimeType.slice(0, 80) : "of no known kind"}, ${bytesOf(data)} bytes: not shown]`;
}

function isBase64(text: string): boolean {
  return text.length >= 4 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

function bytesOf(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
}
