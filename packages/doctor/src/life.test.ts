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
import { diagnose } from "./diagnose.ts";
import { sourceOfText } from "./facts/evidence-source.ts";
import { nameLives } from "./life.ts";
import { formatHtml } from "./report/html-report.ts";
import { formatDiagnosis } from "./report/text-report.ts";
import { assertDiagnosis } from "./test/schema-check.ts";

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

test("drydock diagnose names each history, too, from its lines alone and among other lines, in every report", async () => {
  for (const history of lifeHistories) {
    const random = new Random(history.name.length * 409);
    const { list, log } = evidenceOfHistory(history);
    const loud = log
      .split("\n")
      .flatMap((line, index) => [...Array.from({ length: 60 }, () => noise(random, index)), line])
      .join("\n");
    for (const files of [
      [sourceOfText("log.txt", log), sourceOfText("lists.txt", list)],
      [sourceOfText("system.log", loud), sourceOfText("lists.txt", list)],
      [sourceOfText("mail.txt", `${log}\n${list}`)],
    ]) {
      const diagnosis = await diagnose(files);
      assertDiagnosis(diagnosis);
      assert.deepEqual(
        diagnosis.lives.map(({ history: name, identifier }) => [identifier, name]),
        [["org.example.driver", history.name]],
      );
      assert.ok(
        formatDiagnosis(diagnosis, { width: 10_000 }).includes(`${history.name}: ${history.summary}`),
      );
      assert.ok(
        formatHtml(diagnosis).replaceAll("&amp;", "&").replaceAll("&#39;", "'").includes(history.ending),
      );
      // What an earlier list said is the past: these two are the ones that go no further.
      assert.equal(
        diagnosis.answers.some(({ rule }) => rule === "FX-APPROVAL" || rule === "NT-824746"),
        history.name === "approval-pending" || history.name === "same-version-twice",
        `${history.name}: ${diagnosis.answers.map(({ claim }) => claim).join("; ")}`,
      );
    }
  }
});

const example = "2026-11-30 10:00:00.000000+0000 Example[401:1] ";

test("from the log alone: what the delegate was asked and how it ended; an error that was mended later is none", async () => {
  const lines = (...texts: string[]) => [
    sourceOfText("log.txt", texts.map((text) => `${example}${text}\n`).join("")),
  ];
  const ask = (from: string, to: string) =>
    `request(_:actionForExtension:withExtension:) org.example.driver ${from} -> ${to}`;
  const done = "request(_:didFinishWithResult:) org.example.driver completed";
  const name = async (...texts: string[]) => (await diagnose(lines(...texts))).lives[0]?.history;
  assert.equal(await name(ask("1.0/1", "1.1/2"), done), "replaced-never-opened");
  assert.equal(await name(ask("1.10/3", "1.9/12"), done), "downgraded");
  assert.equal(
    await name(
      ask("1.0/1", "1.1/2"),
      "request(_:didFinishWithResult:) org.example.driver willCompleteAfterReboot",
    ),
    "replaced-while-open",
  );
  assert.equal(await name(ask("1.0/1", "1.0/1"), done), undefined, "the same version: nothing was replaced");
  const refusal = "request(_:didFailWithError:) org.example.driver OSSystemExtensionErrorDomain 3";
  assert.equal(await name(refusal), "not-in-applications");
  assert.equal(await name(refusal, done), undefined);
});

test("a program that is refused for its claims has no life of a driver", async () => {
  const refused = (id: string, key: string) =>
    `2026-11-30 10:00:00.000000+0000 taskgated-helper[140:2] ${id}: Unsatisfied entitlements: ${key}\n`;
  const { lives } = await diagnose([
    sourceOfText(
      "log.txt",
      refused("net.sample.tool", "com.apple.developer.driverkit.userclient-access") +
        refused("net.sample.editor", "com.apple.developer.networking.vpn.api") +
        refused("net.sample.driver", "com.apple.developer.driverkit.family.serial"),
    ),
  ]);
  assert.deepEqual(
    lives.map(({ history, identifier }) => [identifier, history]),
    [["net.sample.driver", "profile-lacks-key"]],
  );
});

test("ten thousand extensions in one list are told in bounded work, and none of them has a history", async () => {
  const rows = Array.from(
    { length: 10_000 },
    (_, index) => `*\t*\tABCDE12345\tnet.sample.e${index} (1.0/1)\tE\t[activated enabled]`,
  );
  const list = `${rows.length} extension(s)\n--- com.apple.system_extension.driver_extension\n${rows.join("\n")}\n`;
  const { files, lives } = await diagnose([sourceOfText("list.txt", list)]);
  assert.deepEqual(files[0].kinds, ["system extensions list"]);
  assert.deepEqual(lives, []);
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
