// A million rows and more: memory stays flat, every loss is counted. DRYDOCK_ROWS sets the number (endurance: 10^8).

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { TimelineKind } from "../ports/recorder.ts";
import { Timeline } from "./timeline.ts";

const rows = Number(process.env.DRYDOCK_ROWS ?? 2_000_000);
/** Memory beside the limit: the segment being filled, the spare one, and the texts of a segment. */
const slackBytes = 8 << 20;
const looks = 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in use once everything that nobody holds has gone. */
function usedBytes(): number {
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

test(`${rows} rows with data, texts of all kinds: memory flat, losses counted`, () => {
  const limit = 16 << 20;
  const timeline = new Timeline({ maximumBytes: limit });
  const data = new Uint8Array(64);
  const before = usedBytes();
  const used: number[] = [];
  for (let number = 0; number < rows; number++) {
    // A text of its own for every hundredth row: they must not pile up.
    const text = number % 100 === 0 ? `row ${number}` : "IOUSBHostPipe.asyncIO (FtdiDriver)";
    timeline.add(TimelineKind.usb, number, number, text, number, 0, 0, 0, 0, null, 0, data, 0, number & 63);
    if ((number + 1) % Math.floor(rows / looks) === 0) used.push(usedBytes() - before);
  }
  assert.equal(timeline.kept() + timeline.lost(), rows);
  assert.ok(timeline.kept() > 50_000);
  const most = Math.max(...used);
  assert.ok(used.length >= looks && most < limit + slackBytes, `${most} bytes beside ${limit}`);
});
