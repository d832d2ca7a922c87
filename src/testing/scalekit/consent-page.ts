/** The pages a user sees. Everything that comes from outside is escaped. */

export interface ConsentRequest {
  readonly appName: string;
  readonly provider: string;
  readonly identifier: string;
  readonly scopes: readonly string[];
}

/** Asks the user; its form posts `decision` = `allow` or `deny` and the ticked `scope`s back to the same address. */
export function consentPage(request: ConsentRequest): string {
  const provider = escapeHtml(request.provider);
  const scopes = request.scopes
    .map((scope) => escapeHtml(scope))
    .map((scope) => `<li><label><input type="checkbox" name="scope" value="${scope}" checked> ${scope}</label></li>`);
  return page(
    `Connect ${request.provider}`,
    `<p><strong>${escapeHtml(request.appName)}</strong> wants to use the <strong>${provider}</strong> account of
<strong>${escapeHtml(request.identifier)}</strong>, also while you are away.</p>
<form method="post">
<p>It asks for:</p>
<ul>
${scopes.join("\n")}
</ul>
<p class="buttons"><button name="decision" value="allow">Allow</button>
<button class="quiet" name="decision" value="deny">Deny</button></p>
</form>
<p class="note">This is a local emulator: no real account is touched.</p>`,
  );
}

export function messagePage(title: string, text: string): string {
  return page(title, `<p>${escapeHtml(text)}</p>`);
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 12vh auto; padding: 0 1.5rem; color: #1c1c28 }
h1 { font-size: 1.4rem } ul { list-style: none; padding: 0; overflow-wrap: anywhere } .note { color: #667; font-size: .85rem }
button { font: inherit; padding: .5rem 1.4rem; border: 1px solid #3046c8; border-radius: .4rem; background: #3046c8; color: #fff; cursor: pointer }
button.quiet { background: none; color: #3046c8 }
</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${body}
</body>
</html>
`;
}
