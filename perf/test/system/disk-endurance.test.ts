// A slice of the endurance runs: kills under a journal of another process, and hostile connections at both doors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attackDoors, hostileSkip, problemsOf } from "../../endurance/disk-hostile.ts";
import { killDisks, killsSkip } from "../../endurance/disk-kills.ts";

const skip = killsSkip() ?? false;

test("12 kills of a disk in a file, a third of them in trouble: nothing acknowledged is lost, no failure forgotten", {
  skip,
}, async () => {
  const report = await killDisks({ kills: 12, seed: 7 });
  assert.deepEqual(report.problems, []);
  assert.equal(report.kills, 12);
  assert.equal(report.disturbed, 4);
  assert.ok(report.acknowledged >= 12, `${report.acknowledged} acknowledged`);
});

test("the same over a file system that says yes and keeps nothing: the check notices", { skip }, async () => {
  const { problems } = await killDisks({ kills: 2, seed: 7, lies: true });
  assert.match(problems.join("\n"), /was acknowledged/);
});

/** One of each door and of each kind, in two lanes; the endurance run has all of them. */
const lanes = [
  ["nbd silent", "nbd-tls half", "usbip half", "rfc2217 noise"],
  ["nbd-unix glutton", "iscsi glutton", "usbredir silent"],
];

test("300 hostile connections at each door: honest clients come in, memory and log stay bounded", {
  skip: hostileSkip() ?? false,
}, async () => {
  const attackLane = (lane: readonly string[]) =>
    attackDoors({
      connections: 300,
      honest: 3,
      reads: 50,
      looksAfter: false,
      isWanted: (protocol, attack) => lane.includes(`${protocol} ${attack}`),
    });
  const reports = (await Promise.all(lanes.map(attackLane))).flat();
  assert.equal(reports.length, lanes.flat().length);
  assert.deepEqual(reports.flatMap(problemsOf), []);
});
