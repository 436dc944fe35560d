// The sources of P02, P06 and P11 yield exactly their findings under all rules, and the corrected ones none.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { diagnose } from "../diagnose.ts";
import {
  gamepadHeader,
  gamepadImplementation,
  gamepadInterface,
  interruptSetUp,
  interruptSetUpGood,
  lineCodingGood,
  lineCodingPost,
} from "../source/post-samples.ts";
import { type Files, sourcesOf } from "../test/rule-check.ts";

/** Rule and line of every finding, answers and hints, by line. */
async function findings(files: Files): Promise<string[]> {
  const { answers, hints } = await diagnose(sourcesOf(files), { cppGrammar });
  return [...answers, ...hints]
    .map((answer) => ({ rule: answer.rule, line: answer.because[0].line }))
    .sort((left, right) => left.line - right.line || left.rule.localeCompare(right.rule))
    .map(({ rule, line }) => `${line} ${rule}`);
}

test("P02: nine findings in the pasted function, each on its line, and the code in the prose", async () => {
  assert.deepEqual(await findings({ post: lineCodingPost }), [
    "1 DR02-1", // what the post says above the code
    "10 DR02-5",
    "11 FX-ALLOC-SIZE",
    "13 DR02-3",
    "15 DR02-6",
    "16 DR02-6",
    "19 DR02-7",
    "20 DR02-4",
    "20 DR02-7",
    "22 DR02-2",
  ]);
});

test("P06: the header yields the four findings, and nothing else", async () => {
  assert.deepEqual(await findings({ header: gamepadHeader }), [
    "4 DR06-2",
    "6 DR06-1",
    "9 FX-OVERRIDE",
    "10 FX-HID-START",
  ]);
});

test("P11: the findings of the code that was shown, and the question about what was not", async () => {
  assert.deepEqual(await findings({ fragment: interruptSetUp }), [
    "7 FX-LOOP-END",
    "11 DR11-4",
    "12 FX-HALF-START",
    "13 DR11-3",
    "13 DR11-4-CANCEL",
    "19 DR11-4-CONTEXT",
  ]);
});

for (const [name, files] of Object.entries<Files>({
  P02: { a: lineCodingGood },
  P06: { a: gamepadInterface, b: gamepadImplementation },
  P11: { a: interruptSetUpGood },
})) {
  test(`${name}: the corrected source yields nothing`, async () => {
    assert.deepEqual(await findings(files), []);
  });
}

test("a finding says file, line and column", async () => {
  const { answers } = await diagnose(sourcesOf({ post: lineCodingPost }), { cppGrammar });
  const place = answers.find(({ rule }) => rule === "DR02-2")?.because[0];
  assert.deepEqual(place, { file: "post", line: 22, column: 5, text: "memcpy(&ptr, lineParms, lcLen);" });
});

test("a comment with a reason takes a finding back, one without does not, and both are told", async () => {
  const source = (comment: string) => `kern_return_t MyUart::SetBaud(uint32_t baudRate)
{
    ${comment}
    OSSwapBigToHostInt32(baudRate);
    return ivars->Send(baudRate);
}
`;
  const reasoned = await diagnose(
    sourcesOf({ a: source("// drydock-ignore DR02-3: a probe of the macro") }),
    {
      cppGrammar,
    },
  );
  assert.deepEqual(reasoned.answers, []);
  assert.deepEqual(
    reasoned.suppressed.map(({ rule, reason, place }) => [rule, reason, place.line]),
    [["DR02-3", "a probe of the macro", 4]],
  );
  const bare = await diagnose(sourcesOf({ a: source("// drydock-ignore DR02-3") }), { cppGrammar });
  assert.deepEqual(
    bare.answers.map(({ rule }) => rule),
    ["DR02-3"],
  );
  assert.match(bare.files[0].problems.join(), /line 3: drydock-ignore DR02-3 gives no reason/);
  const other = await diagnose(sourcesOf({ a: source("// drydock-ignore DR02-2: not this rule") }), {
    cppGrammar,
  });
  assert.equal(other.answers.length, 1);
});

test("half a file, prose round code and CRLF are read as far as they go", async () => {
  const half = lineCodingPost.slice(
    lineCodingPost.indexOf("kern_return_t"),
    lineCodingPost.indexOf("OSSafeReleaseNULL(map)"),
  );
  assert.ok((await findings({ half })).some((line) => line.endsWith("DR02-2")));
  const quoted = lineCodingPost
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\r\n");
  assert.ok((await findings({ quoted })).includes("22 DR02-2"));
  const unfenced = lineCodingPost.replace(/^```.*$/gm, "");
  assert.ok((await findings({ unfenced })).includes("22 DR02-2"));
});

test("without a grammar source is named and not read", async () => {
  const { files, answers } = await diagnose(sourcesOf({ post: interruptSetUpGood }));
  assert.deepEqual(answers, []);
  assert.deepEqual(files[0].kinds, ["source"]);
  assert.match(files[0].problems[0], /no C\+\+ grammar was given/);
});

test("what one rule's test calls corrected, no other rule of source calls wrong", async () => {
  const folder = new URL("./source/", import.meta.url);
  const pages = readdirSync(folder).filter((name) => name.endsWith(".md"));
  assert.ok(pages.length > 30);
  const complaints: string[] = [];
  for (const page of pages) {
    const text = readFileSync(new URL(page, folder), "utf8");
    const right = text
      .slice(text.indexOf("Right:"), text.indexOf("## What to do"))
      .replace(/^Right:\s*$/m, "")
      .replace(/^ {4}/gm, "");
    const { answers } = await diagnose(sourcesOf({ [page]: right }), { cppGrammar });
    for (const { rule, claim } of answers) complaints.push(`${page}: ${rule} ${claim}`);
  }
  assert.deepEqual(complaints, []);
});
