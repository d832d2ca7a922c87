/** Bodies that are forms, over the wire: what the provider reads is what was meant, field by field, whatever stands in them. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { type BodyAs, type Form, type ProxyTool, proxyTool } from "../../src/index.ts";
import { defineConnector, SLACK_SAMPLE } from "../../src/testing/connectors/index.ts";
import type { ProxyRequest } from "../../src/testing/connectors/connector.ts";
import { HOSTILE, hostileText } from "./hostile.ts";
import { shown, stage, type Stage } from "./proxy-stage.ts";
import { word } from "./start.ts";

const FIELDS = z.object({ text: z.string(), tags: z.array(z.string()).optional(), n: z.number().optional() });

function tool(
  bodyAs: BodyAs,
  body: readonly ("text" | "tags" | "n")[] | ((input: z.infer<typeof FIELDS>) => Form),
): ProxyTool {
  const base = { name: "post", description: "x", connection: "any", method: "POST", path: "/v1/things" } as const;
  return proxyTool({ ...base, bodyAs, body, input: FIELDS, output: z.object({}) });
}

async function provider(t: TestContext, made: ProxyTool): Promise<Stage & { arrived: ProxyRequest[] }> {
  const arrived: ProxyRequest[] = [];
  const connector = defineConnector({
    name: "any",
    title: "Any",
    scopes: [],
    tools: [],
    world: () => ({}),
    proxy: (request) => {
      arrived.push(request);
      return { status: 200, json: {} };
    },
  });
  return { ...(await stage(t, { connections: [{ name: "any", connector }] }, [made])), arrived };
}

/** As a server reads it: by the header, from the bytes. */
async function fieldsOf({ headers, bytes }: ProxyRequest): Promise<[name: string, value: string | File][]> {
  // oxlint-disable-next-line typescript/no-deprecated -- for servers; this is one request of ours
  const form = await new Response(bytes, { headers: { "content-type": String(headers["content-type"]) } }).formData();
  return [...form];
}

/** FormData, as every browser's, writes line ends as CRLF. */
const lines = (text: string): string => text.toWellFormed().replaceAll(/\r\n|\r|\n/g, "\r\n");

const NASTY = [
  ...HOSTILE,
  "a&admin=true",
  "a=b",
  "+ +",
  '"; filename="x',
  "\r\n--x--\r\n",
  "--formdata-undici-0",
  "é€😀",
];

test("property: in a form as in multipart, what a model writes stays the value of its own field", async (t) => {
  const form = await provider(t, tool("form", ["text", "tags", "n"]));
  const multipart = await provider(t, tool("multipart", ["text", "tags", "n"]));
  const call = async (text: string, tags: string[]): Promise<void> => {
    const kinds = [
      [form, (one: string) => one.toWellFormed(), /^application\/x-www-form-urlencoded$/],
      [multipart, lines, /^multipart\/form-data; boundary=/],
    ] as const;
    for (const [{ arrived, call: send }, said, type] of kinds) {
      arrived.length = 0;
      assert.equal(word(await send("post", { text, tags, n: 7 })), "ok");
      const [request] = arrived;
      assert.ok(request !== undefined && arrived.length === 1, "one request");
      assert.match(String(request.headers["content-type"]), type);
      const expected = [["text", said(text)], ...tags.map((tag) => ["tags", said(tag)]), ["n", "7"]];
      assert.deepEqual(await fieldsOf(request), expected);
    }
  };
  for (const text of NASTY) await call(text, [text, "b"]);
  await fc.assert(fc.asyncProperty(hostileText(), fc.array(hostileText(), { maxLength: 2 }), call), { numRuns: 60 });
});

test("a file is sent as one, bytes and all, and its name is a name and no path", async (t) => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const body = ({ text }: { text: string }): Form => ({
    title: "report",
    none: undefined,
    empty: "",
    file: { filename: text, contentType: "application/pdf", content: bytes },
    note: { filename: "note.txt", content: "häh" },
  });
  const { arrived, call } = await provider(t, tool("multipart", body));
  assert.equal(word(await call("post", { text: 'q"1;x=".pdf' })), "ok");
  const fields = new Map(await fieldsOf(arrived[0] ?? assert.fail("nothing came")));
  assert.deepEqual([...fields.keys()], ["title", "empty", "file", "note"]);
  const [file, note] = [fields.get("file"), fields.get("note")];
  assert.ok(file instanceof File && note instanceof File, "files");
  assert.deepEqual([file.type, new Uint8Array(await file.arrayBuffer())], ["application/pdf", bytes]);
  assert.deepEqual([note.name, note.type, await note.text()], ["note.txt", "application/octet-stream", "häh"]);
  for (const name of ["", "..", "a/b", "a\\b", "a\r\nContent-Type: text/html", "x".repeat(256)]) {
    const outcome = await call("post", { text: name });
    assert.match(outcome.kind === "error" ? outcome.message : outcome.kind, /^The request could not be made: filename/);
  }
  assert.equal(arrived.length, 1);
});

test("what a form cannot carry is not sent, and said", async (t) => {
  const bodies: readonly [body: () => unknown, message: RegExp][] = [
    [() => ({ a: { b: 1 } }), /field "a" of a form must be a text/],
    [() => ({ a: [["x"]] }), /field "a"/],
    [() => ({ a: Number.NaN }), /field "a"/],
    [() => ["a"], /a form is an object of fields/],
    [() => "a=b", /a form is an object of fields/],
    [() => ({ a: { filename: "x", content: "y" } }), /field "a"/],
  ];
  for (const [body, message] of bodies) {
    const { arrived, call } = await provider(t, tool("form", body as () => Form));
    const outcome = await call("post", { text: "x" });
    assert.match(outcome.kind === "error" ? outcome.message : outcome.kind, message);
    assert.equal(arrived.length, 0);
  }
  const { arrived, call } = await provider(
    t,
    tool("multipart", () => ({ a: "x".repeat(5 * 1_024 * 1_024) })),
  );
  const outcome = await call("post", { text: "x" });
  assert.match(outcome.kind === "error" ? outcome.message : outcome.kind, /^the request would have \d+ characters$/);
  assert.equal(arrived.length, 0);
});

test("definitions: a form is flat, has a body, and is a known one; another form is another definition", () => {
  const good = {
    name: "g",
    description: "x",
    connection: "c",
    method: "POST",
    path: "/a",
    output: z.object({}),
  } as const;
  const input = z.object({ a: z.object({ b: z.string() }).optional(), list: z.array(z.array(z.string())).optional() });
  const wrong: readonly [change: object, message: RegExp][] = [
    [{ bodyAs: "form", body: ["a"] }, /a form is flat, and "a" is not/],
    [{ bodyAs: "multipart", body: ["list"] }, /"list" is not/],
    [{ bodyAs: "form" }, /there is no body/],
    [{ bodyAs: "xml", body: ["a"] }, /bodyAs: expected one of json, form, multipart, got "xml"/],
  ];
  for (const [change, message] of wrong)
    assert.throws(() => proxyTool({ ...good, input, ...change }), { code: "tool-invalid", message }, String(message));
  assert.notEqual(tool("form", ["text"]).hash, tool("json", ["text"]).hash);
});

test("Slack's methods that read take a form by POST, and no JSON", async (t) => {
  const find = (bodyAs: BodyAs): ProxyTool =>
    proxyTool({
      name: "slack_find_person",
      description: "Finds a person by email address.",
      connection: "slack",
      method: "POST",
      path: "/api/users.lookupByEmail",
      effect: "read",
      input: z.object({ email: z.string() }),
      body: ["email"],
      bodyAs,
      output: z.object({ user: z.object({ id: z.string() }) }),
    });
  for (const [bodyAs, expected] of [
    ["form", "ok"],
    ["json", "invalid_arguments"],
  ] as const) {
    const { emulator, call } = await stage(t, {}, [find(bodyAs)]);
    emulator.slack("ada").load(SLACK_SAMPLE);
    const email = [...emulator.slack("ada").users.values()].find((user) => user.email !== undefined)?.email ?? "";
    const answer = call("slack_find_person", { email });
    if (bodyAs === "form") assert.match(JSON.stringify(await shown(answer)), /"id":"U/);
    else assert.equal(((await answer) as { type?: string }).type, expected);
  }
});
