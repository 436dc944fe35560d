// The histories of an extension: each ends as documented, and its lines alone name it again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import {
  evidenceOfHistory,
  historyNames,
  lifeHistories,
  playHistory,
} from "@drydock/core/platform/life-histories";
import { sourceOfText } from "./facts/evidence-source.ts";
import { nameLives } from "./life.ts";

/** What is left, and which number a request ended with. */
const endings: Readonly<Record<(typeof historyNames)[number], readonly [readonly string[], RegExp | null]>> =
  {
    fresh: [["1.0/1 activated enabled"], /didFinishWithResult.*completed/],
    "approval-pending": [["1.0/1 activated waiting for user"], /requestNeedsUserApproval/],
    "replaced-never-opened": [["1.1/2 activated enabled"], /completed/],
    "replaced-while-open": [
      ["1.0/1 terminated waiting to uninstall on reboot", "1.1/2 activated enabled"],
      /willCompleteAfterReboot/,
    ],
    downgraded: [["1.0/1 activated enabled"], /2\.0\/9 -> 1\.0\/1/],
    "replacement-declined": [["1.0/1 activated enabled"], /OSSystemExtensionErrorDomain 11/],
    "same-version-twice": [["1.0/1 terminating for upgrade via delegate"], /OSSystemExtensionErrorDomain 4/],
    "two-apps-one-driver": [["1.1/2 activated enabled"], /completed/],
    "uninstalled-then-restarted": [[], /willCompleteAfterReboot/],
    "ipad-switch": [[], /no service/],
    "profile-lacks-key": [
      ["1.0/1 activated enabled"],
      /Unsatisfied entitlements: com\.apple\.developer\.driverkit\.transport\.usb/,
    ],
    "managed-allowed": [["1.0/1 activated enabled"], /completed/],
    "managed-forbidden": [[], /OSSystemExtensionErrorDomain 10/],
    "crash-loop": [["1.0/1 activated enabled"], /has crashed 3 time/],
    "not-in-applications": [[], /OSSystemExtensionErrorDomain 3/],
    "request-superseded": [["1.0/1 activated enabled"], /OSSystemExtensionErrorDomain 12/],
  };

for (const history of lifeHistories)
  test(`${history.name}: ends as documented; the doctor names it from its lines alone`, async () => {
    const steps = playHistory(history);
    const [rows, line] = endings[history.name];
    assert.deepEqual(
      steps.at(-1)?.rows.map(({ state, version }) => `${version} ${state}`),
      rows,
    );
    const said = steps.flatMap(({ lines }) => lines.map(({ text }) => text)).join("\n");
    if (line !== null) assert.match(said, line);
    const { list, log } = evidenceOfHistory(history);
    for (const files of [
      [sourceOfText("log.txt", log), sourceOfText("lists.txt", list)],
      // Everything pasted into one file.
      [sourceOfText("mail.txt", `${log}\n${list}`)],
    ]) {
      const lives = await nameLives(files);
      assert.deepEqual(
        lives.map(({ history: name, identifier }) => [identifier, name]),
        [["org.example.driver", history.name]],
        JSON.stringify(lives),
      );
    }
  });

/** What a Mac's log says all the time beside it: other processes, other drivers, other extensions. */
function noise(random: Random, index: number): string {
  const time = `2026-11-30 10:${String(index % 60).padStart(2, "0")}:00.${String(random.below(1_000_000)).padStart(6, "0")}+0000`;
  const words = [
    "kernel[0:5f2] (AppleUSBHostPort) enumerated 0x1209/0x0007 at 480 Mbps",
    "sysextd[99:1c2] [com.apple.sx:XPC] client connection opened by pid 812",
    "sysextd[99:1c2] initial state: net.sample.filter, waiting for nothing",
    "kernel[0:77] DK: FilterUserClient-0x100000b01::stop(SampleFilter-0x100000a99) ok",
    "mDNSResponder[211:a1] [R12] getaddrinfo start",
    "WindowServer[188:3] 0 display(s) reconfigured",
    "sample-app[700:9] didFinishWithResult net.sample.filter completed",
    "kernel[0:1] wlan0: link quality changed, driver has 3 time slots left",
    "taskgated-helper[140:2] net.sample.tool: no entitlements to check",
  ];
  return `${time} ${words[random.below(words.length)]}`;
}

test("each history is named among three thousand lines of other programs, and no other one of that driver", async () => {
  for (const history of lifeHistories) {
    const random = new Random(history.name.length * 977);
    const { list, log } = evidenceOfHistory(history);
    const lines: string[] = [];
    const own = log.split("\n");
    for (const [index, line] of own.entries()) {
      for (let count = 0; count < 3000 / own.length; count++) lines.push(noise(random, index));
      lines.push(line);
    }
    const lives = await nameLives([
      sourceOfText("system.log", lines.join("\n")),
      sourceOfText("lists.txt", list),
    ]);
    assert.deepEqual(
      lives.filter(({ identifier }) => identifier === "org.example.driver").map(({ history: name }) => name),
      [history.name],
      JSON.stringify(lives),
    );
  }
});

test("there are at least twelve histories, every name once, and every line is marked", () => {
  assert.ok(lifeHistories.length >= 12);
  assert.deepEqual(
    lifeHistories.map(({ name }) => name),
    [...historyNames],
  );
  for (const history of lifeHistories)
    for (const { lines, rows } of playHistory(history))
      for (const { mark } of [...lines, ...rows]) assert.match(mark, /^(established|likely|unknown)$/);
});

test("a list alone says how it stands, not how it came there; no line, no history", async () => {
  const list = "1 extension(s)\n*\t*\tABCDE12345\torg.example.driver (1.0/1)\tExample\t[activated enabled]\n";
  const [life] = await nameLives([sourceOfText("list.txt", list)]);
  assert.equal(life.history, null);
  assert.match(life.because, /how it came there is not in these lines/);
  assert.deepEqual(await nameLives([sourceOfText("x.txt", "hello\n")]), []);
});
