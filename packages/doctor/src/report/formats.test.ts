// SARIF, annotations, HTML and JSON of one diagnosis: valid, complete, and hostile evidence stays text.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { diagnose } from "../diagnose.ts";
import type { Diagnosis } from "../diagnosis.ts";
import { gamepadHeader, interruptSetUp, lineCodingPost } from "../source/post-samples.ts";
import { sourcesOf } from "../test/rule-check.ts";
import { captureOf, plist } from "../test/samples.ts";
import { assertDiagnosis, assertSarif } from "../test/schema-check.ts";
import { formatGithubAnnotations } from "./github.ts";
import { formatHtml } from "./html-report.ts";
import { toSarif } from "./sarif.ts";

/** Answers, hints, a suppression, a place in a binary file, an unreadable file, a name that is no URI. */
function sample(): Promise<Diagnosis> {
  return diagnose(
    sourcesOf({
      "a post, 100%.md": lineCodingPost,
      "<img src=x onerror=alert(1)>.h": gamepadHeader,
      "dir/irq.cpp": interruptSetUp,
      "kept.cpp": `kern_return_t MyUart::SetBaud(uint32_t baudRate)
{
    OSSwapBigToHostInt32(baudRate); // drydock-ignore DR02-3: it is a macro check
    return ivars->Send("<script>", baudRate);
}
`,
      "wire.pcapng": captureOf([
        {
          endpoint: 0,
          kind: 2,
          setup: [0x21, 0x20, 0, 0, 0, 0, 7, 0],
          data: [0, 0, 0, 0, 0, 0, 0],
          status: -32,
        },
      ]),
      "odd.bin": new Uint8Array(256).map((_, index) => (index * 37) & 0xff),
    }),
    { cppGrammar },
  );
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level?: string;
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: Record<string, unknown>;
    };
  }[];
  readonly suppressions?: readonly { readonly justification: string }[];
}

interface Run {
  readonly results: readonly Result[];
  readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
  readonly invocations: readonly { readonly toolExecutionNotifications: readonly unknown[] }[];
}

test("SARIF keeps the published schema, and every result points to its rule and its place", async () => {
  const diagnosis = await sample();
  const sarif = toSarif(diagnosis, "0.1.0");
  assertSarif(sarif);
  const [run] = sarif.runs as unknown as readonly Run[];
  const { rules } = run.tool.driver;
  assert.equal(
    run.results.length,
    diagnosis.answers.length + diagnosis.hints.length + diagnosis.suppressed.length,
  );
  for (const result of run.results) {
    assert.equal(rules[result.ruleIndex].id, result.ruleId);
    assert.equal(result.locations.length, 1);
    assert.doesNotMatch(result.locations[0].physicalLocation.artifactLocation.uri, /[ <>%](?![0-9A-F]{2})/);
  }
  const copied = run.results.find(({ ruleId }) => ruleId === "DR02-2");
  assert.equal(copied?.level, "error");
  assert.deepEqual(copied?.locations[0].physicalLocation.region, {
    startLine: 22,
    startColumn: 5,
    snippet: { text: "memcpy(&ptr, lineParms, lcLen);" },
  });
  const refused = run.results.filter(({ ruleId }) => ruleId === "DR02-1");
  assert.ok(
    refused.some(({ locations }) => typeof locations[0].physicalLocation.region.byteOffset === "number"),
  );
  assert.deepEqual(
    run.results.flatMap(({ suppressions }) => suppressions ?? []).map(({ justification }) => justification),
    ["it is a macro check"],
  );
  assert.equal(run.invocations[0].toolExecutionNotifications.length, 1);
});

test("a wrong SARIF document does not pass the check", async () => {
  const sarif = toSarif(await sample(), "0.1.0") as { runs: { results: { message: unknown }[] }[] };
  sarif.runs[0].results[0].message = { words: "no" };
  assert.throws(() => assertSarif(sarif), /SARIF 2\.1\.0/);
});

test("JSON keeps our schema with and without answers, and a wrong document does not", async () => {
  const known = await sample();
  assertDiagnosis(known);
  assertDiagnosis(await diagnose(sourcesOf({ a: "nothing\n" })));
  assertDiagnosis(await diagnose([]));
  const signed = await diagnose(
    sourcesOf({
      dext: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x1209 }],
      }),
    }),
  );
  assert.ok(signed.rehearsals.length > 0);
  assertDiagnosis(signed);
  assert.ok(formatHtml(signed).includes("Signing, stage by stage"));
  assert.throws(() => assertDiagnosis({ ...known, more: 1 }), /diagnosis\.schema\.json/);
  assert.throws(() => assertDiagnosis({ ...known, answers: known.hints }), /diagnosis\.schema\.json/);
});

test("annotations: one command each, with its place, and no evidence ends a line", async () => {
  const diagnosis = await sample();
  const lines = formatGithubAnnotations(diagnosis).trimEnd().split("\n");
  assert.equal(lines.length, diagnosis.answers.length + diagnosis.hints.length);
  for (const line of lines)
    assert.match(line, /^::(?:error|warning|notice) file=[^:,]+(?:,[a-z]+=[^:,]+)*::.+$/);
  assert.ok(
    lines.some((line) => line.startsWith("::error file=a post%2C 100%25.md,line=22,col=5,title=DR02-2%3A ")),
  );
});

test("HTML: all answers are in it, evidence is text, nothing is fetched and nothing runs", async () => {
  const diagnosis = await sample();
  const html = formatHtml(diagnosis);
  for (const { rule } of [...diagnosis.answers, ...diagnosis.hints]) assert.ok(html.includes(rule), rule);
  assert.doesNotMatch(html, /<script|<img|<link|\bsrc=(?!x onerror)|href=|url\(|@import/);
  assert.ok(html.includes("&lt;img src=x onerror=alert(1)&gt;.h"));
  assert.ok(html.includes("default-src 'none'"));
  const unknown = formatHtml(await diagnose(sourcesOf({ a: "nothing\n" })));
  assert.match(unknown, /I don&#39;t know|I don't know/);
});
