/** The few pages that a user meets on the way to a connected account: plain, self-contained, and nothing in them is not escaped. */
import { createHash } from "node:crypto";
import { TELL_OPENER } from "./opener.ts";

const STYLE = `
:root { color-scheme: light dark }
body { font: 17px/1.6 system-ui, sans-serif; max-width: 32rem; margin: 14vh auto; padding: 0 1.5rem }
h1 { font-size: 1.5rem; line-height: 1.3 }
a { color: inherit }
`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** One script, on one page: it is there for the app's own page that opened this one. */
const TELL_HASH = createHash("sha256").update(TELL_OPENER).digest("base64");

/** No scripts but that one, no images, no frames, no forms; nothing is kept by a browser or proxy, and no URL of ours is told to anybody. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": policy(""),
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

function policy(scripts: string): string {
  return `default-src 'none'; ${scripts}style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

export interface PageText {
  readonly title: string;
  readonly text: string;
  /** A link below the text. */
  readonly link?: { readonly href: string; readonly text: string };
  /** A connection that is connected now: the app's pages are told (opener.ts). */
  readonly tell?: string;
}

export function page(
  status: number,
  { title, text, link, tell }: PageText,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const more = link === undefined ? "" : `<p><a href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>\n`;
  const data = tell === undefined ? "" : ` data-connection="${escapeHtml(tell)}"`;
  const script = tell === undefined ? "" : `<script>${TELL_OPENER}</script>\n`;
  const csp = tell === undefined ? {} : { "content-security-policy": policy(`script-src 'sha256-${TELL_HASH}'; `) };
  const html = `<!doctype html>
<html lang="en"${data}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${more}</main>
${script}</body>
</html>
`;
  return new Response(html, {
    status,
    headers: { ...HEADERS, ...csp, ...headers, "content-type": "text/html; charset=utf-8" },
  });
}

export function redirect(to: string): Response {
  return new Response(null, { status: 302, headers: { ...HEADERS, location: to } });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.toWellFormed().replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
