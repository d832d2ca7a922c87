/** Does what a person would do in a browser: opens the consent page and presses a button. */

export interface ConsentChoice {
  readonly decision: "allow" | "deny";
  /** Leave out to take all that the page asks for. */
  readonly scopes?: readonly string[] | undefined;
}

/**
 * Follows the link (also through redirects of the app) to the consent page, sends its form, and answers the address the
 * page then sends the user to. That address is not opened.
 */
export async function pressConsent(link: string, choice: ConsentChoice): Promise<string> {
  const response = await fetch(link, { redirect: "follow" });
  const html = await response.text();
  if (!response.ok)
    throw new Error(`Scalekit emulator: the consent page answered ${response.status} (${titleOf(html)})`);
  if (!/<form method="post">/.test(html))
    throw new Error(`Scalekit emulator: no consent form at that link (${titleOf(html)})`);
  const offered = [...html.matchAll(/name="scope" value="([^"]*)"/g)].map((match) => unescapeHtml(match[1] ?? ""));
  const body = new URLSearchParams({ decision: choice.decision });
  for (const scope of choice.scopes ?? offered) body.append("scope", scope);
  const answer = await fetch(response.url, { method: "POST", body, redirect: "manual" });
  const location = answer.headers.get("location");
  const text = await answer.text();
  if (location !== null) return new URL(location, response.url).href;
  if (answer.ok) return response.url;
  throw new Error(`Scalekit emulator: consent answered ${answer.status} (${titleOf(text)})`);
}

function titleOf(html: string): string {
  return /<title>([^<]*)<\/title>/.exec(html)?.[1] ?? "no title";
}

function unescapeHtml(text: string): string {
  const characters: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (whole, name: string) => characters[name] ?? whole);
}
