// Evidence cannot command who reads the report: in no format, from no kind of file, by no way in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { checkPackage } from "./check.ts";
import { diagnose } from "./diagnose.ts";
import { formatCheck } from "./report/check-report.ts";
import { formatGithubAnnotations } from "./report/github.ts";
import { formatHtml } from "./report/html-report.ts";
import { formatDiagnosisJunit } from "./report/junit.ts";
import { toSarif } from "./report/sarif.ts";
import { formatDiagnosis } from "./report/text-report.ts";
import { sourcesOf } from "./test/rule-check.ts";
import { crashOf, panicOf, plist } from "./test/samples.ts";

/** A window's title (OSC 0), a C1 introducer, text turned round, a line that a runner obeys, commands of other runners. */
const hostile = "A\x1b]0;t\x07\u009b31m\u202eB\u200b\n::error file=x::y\r##vso[task.complete]##teamcity[x]";

/** What no stream may hold, beyond our own line ends and the annotations of --github. */
function problemsOf(text: string): string[] {
  const found = [...text.replaceAll("\n", "").matchAll(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu)].map(
    ([character]) => `U+${(character.codePointAt(0) as number).toString(16)}`,
  );
  for (const line of text.split("\n")) if (/^\s*::error file=x/.test(line)) found.push(line);
  if (/##(?:vso|teamcity)\[/.test(text)) found.push("a command of a runner");
  return found;
}

const panic = `panic(cpu 0 caller 0xffffff80): "busy timeout[0], (60s): 'Stick'"\n`;

for (const [way, files] of [
  ["a driver's name in a panic", { "a.log": panic.replace("Stick", hostile.replaceAll(/[\n\r]/g, "")) }],
  ["a panic's own words, unescaped from JSON", { "a.ips": panicOf(`busy timeout[0], (60s): '${hostile}'`) }],
  [
    "a crashed process",
    { "b.ips": crashOf({ type: hostile, frames: [`${hostile} f`], path: hostile, information: [hostile] }) },
  ],
  [
    "an entitlement's value and its key",
    {
      "d.entitlements": plist({
        "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1 }],
        "com.apple.application-identifier": hostile,
        [hostile]: true,
      } as never),
    },
  ],
  ["the name of a file", { [`log ${hostile}`]: panic }],
  [
    "the name of a file in an archive",
    { "log.gz": Buffer.from(gzipSync(panic)), [`${hostile}/y.log`]: panic },
  ],
  [
    "a comment that takes a finding back",
    { "a.cpp": `// drydock-ignore DR02-3: ${hostile.replaceAll(/[\n\r]/g, "")}\n` },
  ],
] as const) {
  test(`diagnose: ${way}`, async () => {
    for (const redact of [false, true]) {
      const diagnosis = await diagnose(sourcesOf(files as never), { redact });
      for (const [format, text] of [
        ["text", formatDiagnosis(diagnosis)],
        ["all", formatDiagnosis(diagnosis, { all: true })],
        ["json", JSON.stringify(diagnosis)],
        ["sarif", JSON.stringify(toSarif(diagnosis, "1"))],
        ["html", formatHtml(diagnosis)],
        ["github", formatGithubAnnotations(diagnosis)],
        ["junit", formatDiagnosisJunit(diagnosis)],
      ])
        assert.deepEqual(problemsOf(text), [], `${format}: ${text}`);
    }
  });
}

test("check: names in a package, and of the package", async () => {
  const files = {
    "My.app/Contents/Info.plist": plist({ CFBundleIdentifier: hostile, CFBundleExecutable: hostile }),
    [`${hostile}.entitlements`]: plist({ "com.apple.developer.driverkit": true, [hostile]: hostile }),
  };
  const report = await checkPackage(sourcesOf(files), {
    tool: "xcode",
    platform: null,
    date: "2026-01-01",
    udid: null,
    minimumSystem: null,
    platforms: [],
    platformsMustAccept: false,
  });
  assert.deepEqual(problemsOf(formatCheck(report)), []);
  assert.deepEqual(problemsOf(JSON.stringify(report)), []);
});

test("what was hostile can still be told", async () => {
  const diagnosis = await diagnose(sourcesOf({ "a\x1b[31m.log": panic }));
  assert.equal(diagnosis.answers[0].because[0].file, "a\\x1b[31m.log");
});
