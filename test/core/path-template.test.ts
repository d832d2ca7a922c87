/** Path templates: what fits, what is refused, and that no value ever leaves its segment. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type PathTemplate, pathTemplate, renderPath } from "../../src/core/path-template.ts";
import { HOSTILE, hostileText } from "../scalekit/hostile.ts";

function made(text: string): PathTemplate {
  return pathTemplate(text, (message) => {
    throw new Error(message);
  });
}

const GOOD: readonly [template: string, args: Record<string, unknown>, path: string][] = [
  ["/gmail/v1/users/me/settings/filters", {}, "/gmail/v1/users/me/settings/filters"],
  ["/repos/{owner}/{repo}/issues/{n}/comments", { owner: "a", repo: "b.c", n: 7 }, "/repos/a/b.c/issues/7/comments"],
  ["/a/{x}", { x: "ada@example.com?x#y&z=ü 😀" }, "/a/ada%40example.com%3Fx%23y%26z%3D%C3%BC%20%F0%9F%98%80"],
  ["/a/{x}.json", { x: "7" }, "/a/7.json"],
  ["/a/{x}:send", { x: "m1" }, "/a/m1:send"],
  ["/a/{x}", { x: "..a" }, "/a/..a"],
  ["/a/{x}", { x: "100%" }, "/a/100%25"],
  ["/repos/contents/{path*}", { path: "src/core/a b.ts" }, "/repos/contents/src/core/a%20b.ts"],
  ["/repos/contents/{path*}", { path: "/README.md" }, "/repos/contents/README.md"],
];

test("arguments in their places, encoded", () => {
  for (const [template, args, path] of GOOD) assert.deepEqual(renderPath(made(template), args), { ok: true, path });
});

test("templates that are none", () => {
  for (const text of [
    "",
    "/",
    "a/b",
    "//evil.example/a",
    "/a//b",
    "/a/",
    "/../api/v1",
    "/a/../b",
    "/a/./b",
    "/a/...",
    "/a/..;x/b",
    "/a/%2e%2e/b",
    "/a\\b",
    "/a?x=1",
    "/a#b",
    "/a b",
    "/a/{}",
    "/a/{x y}",
    "/a/{x}/{x}",
    "/a/{x",
    "/a/x}",
    "/a/{x*}y",
    "https://evil.example/a",
  ])
    assert.throws(() => made(text), /^Error: path: .*expected a path from its root/, text);
  assert.throws(() => made(undefined as unknown as string), /path: it does not begin/);
});

test("values that are refused", () => {
  const template = made("/a/{x}/b");
  for (const x of HOSTILE) assert.equal(renderPath(template, { x }).ok, false, JSON.stringify(x));
  for (const x of [undefined, null, true, {}, [], ["a"], Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(renderPath(template, { x }).ok, false, typeof x);
  assert.deepEqual(renderPath(made("/a/{x}{y}/b"), { x: ".", y: "." }), {
    ok: false,
    name: "y",
    problem: "must not be made of dots",
  });
  for (const path of ["a/../b", "a//b", "./a", "a/", "", "//a", "a/%2e%2e/b", "a\\..\\b"])
    assert.equal(renderPath(made("/c/{path*}"), { path }).ok, false, path);
});

/** As lax as any server on the way could be: decoded until nothing changes, every separator taken for one, compatible forms made equal. */
function lax(path: string): string[] {
  let text = path;
  for (let i = 0; i < 5; i++)
    try {
      text = decodeURIComponent(text);
    } catch {
      break;
    }
  return text.normalize("NFKC").split(/[/\\]/);
}

test("property: whatever the value, the path keeps its shape for a strict and for a lax reader", () => {
  const template = made("/proxied/{x}/{y}.json/end");
  fc.assert(
    fc.property(hostileText(), hostileText(), (x, y) => {
      const rendered = renderPath(template, { x, y });
      if (!rendered.ok) return;
      const url = new URL(`https://acme.example/proxy${rendered.path}`);
      assert.equal(url.pathname, `/proxy${rendered.path}`);
      assert.equal(url.search + url.hash, "");
      assert.equal(rendered.path.split("/").length, 5);
      const segments = lax(rendered.path);
      assert.equal(segments.length, 5, rendered.path);
      assert.equal(
        segments.some((segment) => /^\.*$/.test(segment.trim()) && segment !== ""),
        false,
        rendered.path,
      );
      // Nothing is lost either: the value comes back as it was.
      assert.equal(decodeURIComponent(rendered.path.split("/")[2] ?? ""), x);
    }),
    { numRuns: 500 },
  );
});
