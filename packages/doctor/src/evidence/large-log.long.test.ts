// A log of 2 GiB, with every rule: read as a stream, its lines counted, never held.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../diagnose.ts";
import type { EvidenceSource } from "../facts/evidence-source.ts";

const row =
  "2025-10-01 12:00:00.000000+0000 0x3e8      Default     0x0                  81     0    launchd: (libsystem_c.dylib) [com.example:service] nothing of interest here\n";
const pieces = 2048;
const mostGrowth = 256 << 20;

test("a log of 2 GiB: the line that counts is found at its number, in bounded memory", async () => {
  const rows = Math.floor((1 << 20) / row.length);
  const piece = new TextEncoder().encode(row.repeat(rows));
  let most = 0;
  const source: EvidenceSource = {
    name: "large",
    *chunks() {
      for (let count = 0; count < pieces; count++) {
        yield piece;
        if (count % 64 === 0) {
          const { heapUsed, arrayBuffers } = process.memoryUsage();
          most = Math.max(most, heapUsed + arrayBuffers);
        }
      }
      yield new TextEncoder().encode(
        "kernel: DK: A-0x1:UC failed userclient-access check, needed bundle ID b\n",
      );
    },
  };
  const before = process.memoryUsage();
  const { answers, files } = await diagnose([source]);
  assert.equal(answers[0]?.rule, "DR20-1");
  assert.equal(answers[0]?.because[0]?.line, pieces * rows + 1);
  assert.ok(files[0].sizeBytes > pieces * (piece.length - 1));
  const growth = most - before.heapUsed - before.arrayBuffers;
  assert.ok(growth < mostGrowth, `memory grew by ${growth >> 20} MiB`);
});
