// A client's call as a command line: what tools take, which paths may be named, what is refused.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { commandTable } from "../command-table.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { Roots } from "./roots.ts";
import { type Tool, toolsOf } from "./tools.ts";

const tools = new Map((await toolsOf(commandTable)).map((tool) => [tool.row.name, tool]));
const tool = (name: string): Tool => tools.get(name) as Tool;

let folder = "";
let roots: Roots;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-mcp-"));
  mkdirSync(join(folder, "given/inner"), { recursive: true });
  mkdirSync(join(folder, "given-beside"));
  for (const name of ["given/log.txt", "given/inner/a.rig.ts", "given-beside/log.txt", "secret"])
    writeFileSync(join(folder, name), "x");
  symlinkSync(join(folder, "secret"), join(folder, "given/link-out"));
  symlinkSync(folder, join(folder, "given/folder-out"));
  symlinkSync("log.txt", join(folder, "given/link-in"));
  symlinkSync(join(folder, "nowhere"), join(folder, "given/dangling"));
  roots = new Roots([join(folder, "given")]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("what leads out of the roots is refused, and whether it is there is not told", () => {
  const way = (text: string): string => {
    try {
      return roots.find(text).slice(folder.length);
    } catch (error) {
      assert.ok(error instanceof UsageError, text);
      return /does not lie below/.test(error.message) ? "out" : error.message.replaceAll(folder, "");
    }
  };
  const out = [
    "..",
    "../secret",
    "../not-there",
    "../given-beside/log.txt",
    "/etc/passwd",
    "/",
    "inner/../../secret",
  ];
  for (const text of [...out, "link-out", "folder-out/secret", "folder-out", join(folder, "secret")])
    assert.equal(way(text), "out", text);
  assert.equal(way("log.txt"), "/given/log.txt");
  assert.equal(way("."), "/given");
  assert.equal(way("link-in"), "/given/log.txt");
  assert.equal(way("inner/../log.txt"), "/given/log.txt");
  assert.equal(way(join(folder, "given/log.txt")), "/given/log.txt");
  for (const text of ["not-there", "dangling"]) assert.match(way(text), /is not there, or cannot be read/);
  for (const text of ["", "a\0b", "x".repeat(5000)]) assert.match(way(text), /takes a path/);
});

test("a name that begins like a root, or has two dots in it, is no way out and no way in", () => {
  writeFileSync(join(folder, "given/..hidden"), "x");
  assert.equal(roots.find("..hidden"), join(folder, "given/..hidden"));
  assert.throws(() => roots.find(join(folder, "given-beside")), UsageError);
});

test("a tool's call is a line of its command, with JSON asked for and no word that could be an option", async () => {
  const lines: [string, object, string[], boolean?][] = [
    [
      "diagnose",
      { path: ["log.txt"], redact: true },
      ["diagnose", "--json", "--redact", "--", "{root}/log.txt"],
    ],
    ["explain", { word: "--help" }, ["explain", "--json", "--", "--help"]],
    [
      "explain_descriptors",
      { word: "log.txt" },
      ["explain", "--json", "--descriptors", "--", "{root}/log.txt"],
    ],
    ["match", { device: "gamepad", seed: 7 }, ["match", "--json", "--seed=7", "--", "gamepad"]],
    ["match", { device: "inner/a.rig.ts" }, ["match", "--json", "--", "{root}/inner/a.rig.ts"], true],
    ["case", {}, ["case", "--json"]],
    [
      "policy",
      { file: "log.txt", against: "disk" },
      ["policy", "--json", "--against=disk", "--", "{root}/log.txt"],
    ],
    ["run", { what: "p02", act: ["run-to 1"] }, ["lab", "--json", "--act=run-to 1", "--", "p02"]],
    ["run", { what: "#/trace/P02?seed=7" }, ["lab", "--json", "--", "#/trace/P02?seed=7"]],
  ];
  for (const [name, given, words, loadsCode = false] of lines) {
    const line = await tool(name).lineOf(given, roots);
    assert.deepEqual(
      [line.words.map((word) => word.replace(join(folder, "given"), "{root}")), line.loadsCode],
      [words, loadsCode],
    );
  }
});

test("what a tool does not take is refused with what it does take", async () => {
  const lines: [string, unknown, RegExp][] = [
    ["diagnose", { path: ["log.txt"], html: true }, /does not take "html"; it takes path, redact/],
    ["diagnose", JSON.parse('{"__proto__": 1, "path": ["log.txt"]}'), /does not take "__proto__"/],
    ["diagnose", { constructor: 1 }, /does not take "constructor"/],
    ["diagnose", { path: ["-"] }, /standard input/],
    ["explain", { word: "-" }, /standard input/],
    ["diagnose", { path: [{}] }, /takes a list of texts/],
    ["diagnose", { path: new Array(65).fill("log.txt") }, /at most 64/],
    ["diagnose", { path: ["log.txt"], redact: "yes" }, /redact is true or false/],
    ["diagnose", [], /an object/],
    ["trace", { file: "log.txt", most: 0 }, /most is a whole number/],
    ["trace", { file: "log.txt", perfetto: "x" }, /does not take "perfetto"/],
    ["case", { id: "P02", pcap: "x" }, /does not take "pcap"/],
    ["case", { id: ["P02"] }, /one text/],
    ["run", { what: "serial", seed: Number.POSITIVE_INFINITY }, /one text or number/],
    ["policy", { file: "log.txt", against: "../secret" }, /does not lie below/],
  ];
  for (const [name, given, words] of lines)
    await assert.rejects(
      tool(name).lineOf(given, roots),
      (error) => error instanceof UsageError && words.test(error.message),
      `${name} ${JSON.stringify(given)}`,
    );
});

test("no tool takes an option that writes a file", async () => {
  const writing = /pcap|perfetto|output|state|sarif|html|link|language/;
  for (const each of tools.values())
    for (const key of each.row.takes) assert.doesNotMatch(key, writing, each.row.name);
});

test("every tool says of each value what it takes, and nothing else goes", async () => {
  assert.deepEqual([...tools.keys()].sort(), [
    "case",
    "check",
    "diagnose",
    "explain",
    "explain_descriptors",
    "match",
    "policy",
    "run",
    "trace",
  ]);
  for (const each of tools.values()) {
    const { additionalProperties, properties } = await each.inputSchema();
    assert.equal(additionalProperties, false);
    for (const [key, { description }] of Object.entries(
      properties as Record<string, { description: string }>,
    ))
      assert.ok(description.length > 5, `${each.row.name} ${key}`);
  }
});
