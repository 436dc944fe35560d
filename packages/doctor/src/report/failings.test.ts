// Every exit code 1 of a check has its annotation and its failing case; where it passes there is neither.

import assert from "node:assert/strict";
import { test } from "node:test";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { type CheckOptions, checkPackage } from "../check.ts";
import { type Files, sourcesOf } from "../test/rule-check.ts";
import {
  driverClaims,
  filesOf,
  frameworkPath,
  sampleApp,
  sampleDext,
  sampleDextId,
  sampleProfile,
  sampleUdid,
} from "../test/signed-samples.ts";
import { formatCheckAnnotations } from "./github.ts";
import { formatCheckJunit } from "./junit.ts";

const whole = filesOf(sampleApp(), sampleDext());
const expired = sampleProfile(sampleDextId, driverClaims, { expires: "2026-01-01T00:00:00Z" });
const network = filesOf(
  sampleDext({
    executable: {
      minimumOS: "24.0",
      sdk: "24.0",
      dylibs: ["DriverKit", "USBDriverKit", "NetworkingDriverKit"].map(frameworkPath),
      imports: [],
    },
  }),
);

/** What is checked, and a word of the reason; null: it passes. */
const samples: Readonly<Record<string, readonly [Files, Partial<CheckOptions>, RegExp | null]>> = {
  "an app with its driver": [whole, {}, null],
  "a profile that has run out, in a package": [
    filesOf(sampleApp(), sampleDext({ profile: expired })),
    { tool: "codesign" },
    /expire|run out|ran out|2026-01-01/i,
  ],
  "a profile that has run out, alone": [{ "a.provisionprofile": expired }, {}, /2026-01-01/],
  "a system older than the binary asks for": [whole, { minimumSystem: "10.15" }, /needs a newer system/],
  "a system that must accept, and does not": [
    network,
    { platforms: [platformProfile("iphone")], platformsMustAccept: true },
    /refuses it/,
  ],
  "a system that is listed, and need not accept": [network, { platforms: [platformProfile("iphone")] }, null],
};

for (const [what, [files, more, reason]] of Object.entries(samples))
  test(what, async () => {
    const report = await checkPackage(sourcesOf(files), {
      platforms: [],
      platformsMustAccept: false,
      date: "2026-11-24",
      udid: sampleUdid,
      ...more,
    });
    const options = { mustAccept: more.platformsMustAccept ?? false };
    const annotations = formatCheckAnnotations(report, options);
    const junit = formatCheckJunit(report, options);
    assert.equal(report.ok, reason === null);
    assert.equal(annotations.includes("::error"), reason !== null, annotations);
    assert.equal(/<failure /.test(junit), reason !== null, junit);
    assert.match(junit, /<testcase/);
    if (reason !== null) for (const text of [annotations, junit]) assert.match(text, reason);
  });
