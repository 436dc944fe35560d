// The doctor: a log scanned for all rules beside grep and JSON.parse on the same bytes; a small folder diagnosed.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfBytes, sourceOfText } from "@drydock/doctor/facts/evidence-source";
import type { BenchRow, BenchTable } from "./run.ts";

const row =
  "2025-10-01 12:00:00.001250+0000 0x3e8      Default     0x0                  81     0    launchd: (libsystem_c.dylib) [com.example:service] nothing of interest happened at address 0x16f507f10\n";
const refusal =
  "kernel: (x.dext) DK: A-0x1:UC failed userclient-access check, needed bundle ID org.example.drv\n";
const rounds = 5;
const launcher = join(dirname(fileURLToPath(import.meta.url)), "../apps/cli/bin/drydock.mjs");

/** What a Mac says all day, and what a driver says; `n` makes no two rows the same. */
const everyday: readonly ((n: number) => string)[] = [
  (n) =>
    `launchd: (libsystem_c.dylib) [com.example:service] state of ${n} was written at address 0x16f507f10`,
  (n) =>
    `WindowServer: (SkyLight) [com.apple.SkyLight:default] display ${n % 7} reconfigured, flags 0x${(n % 4096).toString(16)}`,
  (n) =>
    `bluetoothd: [com.apple.bluetooth:Stack] failed to read attribute handle 0x${(n % 512).toString(16)} error ${n % 200}`,
  (n) => `kernel: (AppleUSBXHCI) port ${n % 8} link state U0 -> U3, exit latency ${n % 90} us`,
  (n) =>
    `runningboardd: (RunningBoard) [com.apple.runningboard:process] Calculated state for anon<Sample(501)>: ${n}`,
];
const drivers: readonly ((n: number) => string)[] = [
  (n) => `kernel: (net.sample.lamp.driver.dext) lamp: read completed, ${n % 512} bytes, status 0x0`,
  (n) => `kernel: (net.sample.lamp.driver.dext) lamp: submit transfer ${n}, ret = 0x0`,
  () => "kernel: (net.sample.lamp.driver.dext) lamp: AsyncIO failed 0xe00002eb on endpoint 0x81",
  (n) => `kernel: (net.sample.lamp.driver.dext) lamp: Start_Impl step ${n % 9} kIOReturnSuccess`,
  () => "kernel: DK: Lamp-0x1000003e8::start(IOUSBHostInterface-0x1000003e4) ok",
];
const end = [
  "kernel: (net.sample.lamp.driver.dext) lamp: CopyPipe failed 0xe00002f0",
  "kernel: DK: Lamp-0x1::start(IOUSBHostInterface-0x2) fail",
];
const storyBytes = 300 * 10 ** 6;

/** Rows of the system, every `share`th one the driver's; what went wrong stands in the last two. */
function story(share: number) {
  const stamp = (n: number) =>
    `${new Date(1767225600000 + 3 * n).toISOString().replace("T", " ").slice(0, 23)}000+0100 0x1a2b     Default     0x0                  0      0    `;
  const rows: string[] = [];
  for (let n = 0, size = 0; size < 8 << 20; n++) {
    const texts = n % share === 0 ? drivers : everyday;
    rows.push(`${stamp(n)}${texts[Math.floor(n / (n % share === 0 ? share : 1)) % texts.length](n)}\n`);
    size += rows[n].length;
  }
  const block = Buffer.from(rows.join(""));
  const last = Buffer.from(end.map((text) => `${stamp(0)}${text}\n`).join(""));
  return {
    name: "log",
    *chunks() {
      for (let sent = 0; sent < storyBytes; sent += block.length)
        for (let at = 0; at < block.length; at += mebibyte) yield block.subarray(at, at + mebibyte);
      yield last;
    },
  };
}

async function told(source: ReturnType<typeof story>): Promise<void> {
  const { answers } = await diagnose([source]);
  if (!answers.some(({ rule, claim }) => rule === "FX-START-FAIL" && /CopyPipe failed/.test(claim)))
    throw new Error(`the end of the story is not told: ${answers.map(({ claim }) => claim).join("; ")}`);
}

/** A folder as a support engineer gets it, diagnosed by the command; Node and its modules start in it. */
function firstScreen(folder: string): { readonly screens: number[]; readonly empty: number[] } {
  const bundle = join(folder, "bundle");
  mkdirSync(bundle);
  const list = (items: string) =>
    `<?xml version="1.0"?>\n<plist version="1.0"><dict>\n${items}\n</dict></plist>\n`;
  const rows = Array.from({ length: 12_000 }, (_, n) => (n % 20 === 0 ? drivers : everyday)[n % 5](n));
  const files: Readonly<Record<string, string>> = {
    "Info.plist": list(
      "<key>CFBundleIdentifier</key><string>net.sample.lamp.driver</string><key>CFBundlePackageType</key><string>DEXT</string>\n<key>IOKitPersonalities</key><dict><key>Lamp</key><dict><key>IOClass</key><string>IOUserService</string><key>IOUserClass</key><string>Lamp</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVendor</key><string>0x1234</string></dict></dict>",
    ),
    "lamp.entitlements": list("<key>com.apple.developer.driverkit</key><true/>"),
    "log.txt": [...rows, ...end]
      .map(
        (text) =>
          `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    ${text}\n`,
      )
      .join(""),
    "panic.ips": `{"bug_type":"210","os_version":"macOS 15.6 (24G84)"}\n{"product":"Mac15,14","panicString":"panic(cpu 0 caller 0xfffffe0012345678): userspace watchdog timeout: no successful checkins from WindowServer in 120 seconds\\nDebugger message: panic\\n"}\n`,
    "list.txt":
      "1 extension(s)\n--- com.apple.system_extension.driver_extension\n*\t*\tABCDE12345\tnet.sample.lamp.driver (1.0/1)\tLamp\t[activated enabled]\n",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(bundle, name), text);
  const environment = { ...process.env };
  delete environment.NODE_EXTRA_CA_CERTS;
  const screens: number[] = [];
  const empty: number[] = [];
  // The first run compiles the modules; a person's second one finds them.
  for (let round = 0; round <= 9; round++) {
    const started = performance.now();
    const result = spawnSync(process.execPath, [launcher, "diagnose", bundle], {
      env: environment,
      encoding: "utf8",
    });
    if (result.status !== 1 || !result.stdout.includes("idVendor"))
      throw new Error(result.stderr || result.stdout);
    if (round > 0) screens.push(performance.now() - started);
    const begun = performance.now();
    spawnSync(process.execPath, ["-e", "0"], { env: environment });
    if (round > 0) empty.push(performance.now() - begun);
  }
  return { screens, empty };
}

const logBytes = 128 << 20;
const mebibyte = 1 << 20;

export async function bench(): Promise<BenchTable[]> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-doctor-"));
  try {
    const log = Buffer.from(row.repeat(Math.floor(logBytes / row.length)) + refusal);
    const path = join(folder, "log.txt");
    writeFileSync(path, log);
    const events = Buffer.from(
      `[${Array.from({ length: 20_000 }, (_, index) => JSON.stringify({ eventMessage: row, processID: index })).join(",\n")}]`,
    );
    const speed = async (name: string, bytes: number, work: () => unknown): Promise<BenchRow> => {
      const figures: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const started = performance.now();
        await work();
        figures.push(bytes / mebibyte / ((performance.now() - started) / 1000));
      }
      return { name, rounds: figures };
    };
    const grep = (args: readonly string[]) => () => {
      const result = spawnSync("grep", [...args, path]);
      if (result.error !== undefined) throw result.error;
    };
    const pieces = {
      name: "log",
      *chunks() {
        for (let at = 0; at < log.length; at += mebibyte) yield log.subarray(at, at + mebibyte);
      },
    };
    const speeds = [
      await speed("doctor, all rules, log of 128 MiB", log.length, () => diagnose([pieces])),
      await speed(
        "grep -c of one string, the same file",
        log.length,
        grep(["-c", "UC failed userclient-access check"]),
      ),
      await speed(
        "grep -c -i -E of three strings",
        log.length,
        grep(["-ciE", "UC failed|setPowerState|Unsatisfied ent"]),
      ),
      await speed("reading the file into memory", log.length, () => readFileSync(path)),
      await speed(
        "doctor, a log of 300 MB, every twentieth row a driver's, its story at the end",
        storyBytes,
        () => told(story(20)),
      ),
      await speed("doctor, the same with every row a driver's", storyBytes, () => told(story(1))),
      await speed("doctor, all rules, events in JSON", events.length, () =>
        diagnose([sourceOfBytes("j", events)]),
      ),
      await speed("JSON.parse, the same bytes", events.length, () => JSON.parse(events.toString())),
    ];
    const folderTimes: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      await diagnose([
        sourceOfBytes("a", log.subarray(log.length - 4 * mebibyte)),
        sourceOfText("b", `<plist><dict><key>com.apple.developer.driverkit</key><true/></dict></plist>`),
      ]);
      folderTimes.push(performance.now() - started);
    }
    const { screens, empty } = firstScreen(folder);
    return [
      {
        title: "Reading",
        unit: "MiB/s",
        rows: speeds,
        note: "grep runs as a process of its own, so its start is in the figure. Every rule's needles are searched in one pass.",
      },
      {
        title: "A small folder",
        unit: "ms",
        rows: [{ name: "log of 4 MiB and entitlements, to the ranked answers", rounds: folderTimes }],
        note: "Without the start of Node.",
      },
      {
        title: "First screen",
        unit: "ms",
        rows: [
          {
            name: "drydock diagnose FOLDER: five files, a log of 1.8 MB among them, from the start of the process to its end",
            rounds: screens,
          },
          { name: "an empty program of the same Node, in turn with it", rounds: empty },
        ],
        note: "Modules are compiled by the first run on a machine, which is not counted.",
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
