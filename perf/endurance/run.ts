// npm run endurance -- NAME: counts that take longer than CI may; says what was run, when and on what.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { CampaignReport } from "@drydock/core/trials/campaign-book";
import { runCampaign } from "@drydock/core/trials/campaign-shards";
import { explorables } from "@drydock/core/trials/explorables";
import { hostTurn } from "@drydock/node/host-turn";
import { type AttackReport, attackDoors, leftoversOf, problemsOf, slownessOf } from "./disk-hostile.ts";
import { killDisks, killsSkip } from "./disk-kills.ts";
import { huntFlaky, judgeFlaky } from "./flaky.ts";
import { loadNbd } from "./nbd-load.ts";
import { timesOf } from "./test-times.ts";

interface Result {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

interface Run {
  readonly summary: string;
  run(count: number | null): Promise<Result>;
}

const kills = 500;
const connections = 1000;

const runs: Readonly<Record<string, Run>> = {
  "disk-kills": {
    summary: `${kills} SIGKILLs of disk serve --file under a journal of another process, a third of them in trouble`,
    run: async (count) => {
      const missing = killsSkip();
      if (missing !== null) throw new Error(missing);
      const report = await killDisks({
        kills: count ?? kills,
        seed: 1,
        onKill: ({ kills: done, problems }) => {
          if (done % 20 === 0) process.stderr.write(`${done} kills, ${problems.length} problems\n`);
        },
      });
      const { acknowledged, checked, disturbed, failedFlushes, refusedWrites, undone, whatIsFull } = report;
      return {
        lines: [
          `${report.kills} kills, ${disturbed} of them under a slow, failing or full file system (LD_PRELOAD shim; full: ${whatIsFull === "tmpfs" ? "a tmpfs of 160 KiB" : "the shim's ENOSPC"})`,
          `${acknowledged} acknowledged flushes and forced writes, ${failedFlushes} flushes that failed, ${refusedWrites} writes that were refused`,
          `${undone} writes that no flush had kept were put back, as a power cut may; ${checked} blocks were looked at`,
        ],
        problems: report.problems,
      };
    },
  },
  "board-kills": {
    summary: "a writer of the board killed with SIGKILL, 1,000 times on one board, and a backup under writes",
    run: async (count) =>
      runTest("apps/board/test/board-kill.long.test.ts", "DRYDOCK_BOARD_KILLS", count ?? 1000, (kills) => [
        `${kills} kills of a writer; after each, every act that it had told was there`,
      ]),
  },
  "board-kills-servers": {
    summary: "kill -9 of a board's server on a file, 1,000 times under writes over HTTP and its own jobs",
    run: async (count) => killServers("DRYDOCK_BOARD_SERVER_KILLS", count ?? 1000),
  },
  "board-kills-postgres": {
    summary:
      "kill -9 of two servers of one board and of their PostgreSQL, 1,000 times under writes over HTTP and their jobs",
    run: async (count) => killServers("DRYDOCK_BOARD_POSTGRES_KILLS", count ?? 1000),
  },
  "board-crowd": {
    summary:
      "slow and hostile connections at a board, then a flood of readers, on both stores, beside an honest reader and a writer",
    run: async (count) =>
      runTest(
        "apps/board/test/board-crowd.long.test.ts",
        "DRYDOCK_BOARD_CROWD",
        count ?? 1000,
        (crowd) => [
          `${crowd} connections at once: silent, half a head, a body that drips, forty lists asked for and none read`,
        ],
        /^(?:SQLite|PostgreSQL): (?:\d+ connections|a flood)/,
      ),
  },
  "board-mutations": {
    summary: "mutated files of every kind as the board's server reads what people hand in",
    run: async (count) =>
      runTest(
        "apps/board/src/evidence-mutations.long.test.ts",
        "DRYDOCK_BOARD_MUTATIONS",
        count ?? 1_000_000,
        (files) => [`${files} mutated files, each read, redacted and diagnosed to an end, memory bounded`],
        /^\d+ files: /,
      ),
  },
  interrupts: {
    summary: "P11's good driver under a storm of interrupts, raised and delivered counted apart",
    run: async (count) =>
      runTest(
        "cases/P11-interrupt-queue-trap/case.long.test.ts",
        "DRYDOCK_P11_INTERRUPTS",
        count ?? 100_000_000,
        (raised) => [
          `${raised} interrupts raised by the adapter, ${raised} delivered, none trapped, no completion lost`,
          "the bad driver's trap within 10,000,000 for every seed of ten",
        ],
      ),
  },
  "dext-seeds": {
    summary: "one C++ dext (P02) over 10,000 seeds on Node 24 and 26, suspended by JSPI and by threads",
    run: async (count) =>
      runTest("cases/test/system/cpp-seeds.test.ts", "DRYDOCK_DEXT_SEEDS", count ?? 10_000, (seeds) => [
        `${seeds} seeds: the same digest of transfers, bytes, statuses, times and log on both, with JSPI and without, and another for each seed`,
      ]),
  },
  "dext-fuzz": {
    summary:
      "three C++ dexts each fed with calls of their user clients and with answers of their device, built with --sanitize",
    run: async (count) =>
      runTest(
        "packages/dext/test/system/fuzz.test.ts",
        "DRYDOCK_DEXT_FUZZ",
        count ?? 1_000_000,
        (inputs) => [
          `${inputs} calls each for the user clients of frames, loop and P20, ${inputs} answers each for frames, loop and ftdi-dext: no finding`,
        ],
        /, (?:calls|answers): \d+ inputs in/,
      ),
  },
  "dext-interrupts": {
    summary:
      "P11 in C++: the trap of the wrong dext by ten seeds, and the right dext, over a million virtual interrupts each",
    run: async (count) =>
      runTest(
        "cases/test/system/cpp.test.ts",
        "DRYDOCK_DEXT_INTERRUPTS",
        count ?? 1_000_000,
        (interrupts) => [
          `the wrong dext is trapped within ${interrupts} interrupts for each of ten seeds; the right one bears ${interrupts}, every one counted`,
        ],
      ),
  },
  unplugs: {
    summary:
      "P14's good driver unplugged at random moments, and at every step; the bad one over a hundred seeds",
    run: async (count) =>
      runTest(
        "cases/P14-unplug-panic/case.long.test.ts",
        "DRYDOCK_P14_UNPLUGS",
        count ?? 10_000,
        (unplugs) => [
          `${unplugs} unplugs survived: no panic, every command ended once, no mapping left`,
          "the bad driver panics within 100 unplugs for at least 95 of 100 seeds, and at the same steps on two runs; the good one at none",
        ],
      ),
  },
  "soak-plugs": {
    summary: "NVMe plugged out and in with writes under way, and twelve virtual hours of it at work",
    run: async (count) =>
      runTest(
        "packages/core/src/trials/soak.long.test.ts",
        "DRYDOCK_SOAK_PLUGS",
        count ?? 10_000,
        (plugs) => [
          `${plugs} plug cycles with four writes under way: after each no mapping is left, registry entries and threads are as at first`,
          "120,000 requests over twelve virtual hours, verified",
        ],
      ),
  },
  "nvme-qemu": {
    summary:
      "our NVMe driver on QEMU's controller: random writes, all read back, without an IOMMU and through VT-d",
    run: async (count) =>
      runTest(
        "packages/node/test/system/nvme-qemu.test.ts",
        "DRYDOCK_QEMU_MIB",
        count ?? 1024,
        (mebibytes) => [
          `${mebibytes} MiB written at random and read back, on physical addresses and again through VT-d; QEMU traced no pci_nvme_err_* and no pci_nvme_ub_*`,
        ],
      ),
  },
  campaigns: {
    summary:
      "every rig of the catalogue: each access of its workload lost, late, wrong and doubled, and pairs",
    run: async (count) => runCampaigns(count ?? 1000),
  },
  "campaign-scale": {
    summary:
      "a campaign of seeds on the smallest rig, on every core, through the queue that campaign run has",
    run: async (count) => runSeeds(count ?? 10_000_000),
  },
  "audio-qemu": {
    summary: "our AC'97 driver on QEMU's AC97: two ramps, and the WAV file that QEMU wrote",
    run: async (count) =>
      runTest(
        "packages/node/test/system/audio-qemu.test.ts",
        "DRYDOCK_AUDIO_SECONDS",
        count ?? 600,
        (seconds) => [
          `${seconds} s of sound: every frame of the WAV file that QEMU wrote is the tone's, in order; no underrun, no overload, no jump of the clock`,
        ],
      ),
  },
  "p10-frames": {
    summary: "P10's good driver: random frames both ways through an AX88772C with bursts of 2 KiB",
    run: async (count) =>
      runTest("cases/P10-ax88772-iphone/case.test.ts", "DRYDOCK_P10_FRAMES", count ?? 100_000, (frames) => [
        `${frames} random frames of 60 to 1514 bytes each way, and ${frames} of 508 bytes: hashes equal, no overrun`,
      ]),
  },
  "network-frames": {
    summary: "random frames both ways through each of our network drivers and models",
    run: async (count) =>
      runTest(
        "packages/core/src/trials/frame-exchange.long.test.ts",
        "DRYDOCK_FRAMES",
        count ?? 1_000_000,
        (frames) => [`${frames} random frames each way through AX88772C, NCM and ECM: hashes equal`],
      ),
  },
  "network-foreign": {
    summary: "our NCM and ECM drivers on QEMU's usb-net and Linux's gadgets: random frames both ways",
    run: async (count) =>
      runTest(
        ["network-qemu", "usbip-foreign-network"].map((name) => `packages/node/test/system/${name}.test.ts`),
        "DRYDOCK_FOREIGN_FRAMES",
        count ?? 1_000_000,
        (frames) => [
          `${frames} random frames each way on usb-net behind QEMU's xHCI, and on f_ncm and f_ecm over USB/IP: hashes equal`,
        ],
        /frames each way on .* a second/,
      ),
  },
  "network-guest": {
    summary: "Linux's asix, cdc_ncm and cdc_ether on our models: a download through each, iperf3",
    run: async (count) =>
      runTest(
        "packages/node/test/system/usbip-guest-network.test.ts",
        "DRYDOCK_NETWORK_MIB",
        count ?? 64,
        (mebibytes) => [
          `${mebibytes} MiB downloaded through each driver, over USB/IP and usbredir: sums equal, no kernel warning`,
        ],
      ),
  },
  "network-resets": {
    summary:
      "Linux's asix on our AX88772C: the driver's whole reset sequence again and again, and link changes",
    run: async (count) =>
      runTest(
        "packages/node/test/system/usbip-guest-network.test.ts",
        "DRYDOCK_NETWORK_RESETS",
        count ?? 200,
        (resets) => [
          `${resets} resets of the chip and ${Math.ceil(resets / 10)} link changes: it has its link and answers pings afterwards, no kernel warning`,
        ],
      ),
  },
  "raid-qemu": {
    summary: "our MegaRAID driver on QEMU's megasas and megasas-gen2: random writes, all read back",
    run: async (count) =>
      runTest(
        "packages/node/test/system/raid-qemu.test.ts",
        "DRYDOCK_QEMU_MIB",
        count ?? 1024,
        (mebibytes) => [
          `${mebibytes} MiB written at random and read back on each controller, on physical addresses and again through VT-d; QEMU traced no invalid and no abort row`,
        ],
      ),
  },
  "xhci-qemu": {
    summary: "our Bulk-Only and UAS drivers behind QEMU's xHCI controller: random writes, all read back",
    run: async (count) =>
      runTest(
        "packages/node/test/system/xhci-qemu.test.ts",
        "DRYDOCK_QEMU_MIB",
        count ?? 512,
        (mebibytes) => [
          `${mebibytes} MiB written at random and read back through usb-uas on streams with VT-d, a quarter of it through usb-storage; QEMU traced no complaint of its controller`,
        ],
      ),
  },
  "usb-audio": {
    summary: "our USB audio driver on QEMU's usb-audio behind QEMU's xHCI: the WAV file is the tone",
    run: async (count) =>
      runTest(
        "packages/node/test/system/usb-audio-qemu.test.ts",
        "DRYDOCK_AUDIO_SECONDS",
        count ?? 600,
        (played) => [
          `${played} s of two ramps through audio server, driver, isochronous pipes, xHCI and QEMU's usb-audio: the WAV file is the tone, every packet was on the wire`,
        ],
      ),
  },
  "usb-audio-linux": {
    summary:
      "Linux's snd-usb-audio plays and records on our headsets of both classes, over USB/IP and usbredir",
    run: async (count) =>
      runTest(
        "packages/node/test/system/usb-audio-guest.test.ts",
        "DRYDOCK_AUDIO_SECONDS",
        count ?? 600,
        (played) => [
          `${played} s each way on a headset of class 1.0 over USB/IP, a tenth of it on one of class 2.0 with 8000 packets a second, ${played} s over usbredir: every sample played, and over USB/IP every sample recorded; no interval without a packet, for which the wire waited where the emulated guest was late`,
        ],
        /frames out|lost by QEMU/,
      ),
  },
  "xhci-plugs": {
    summary: "QEMU's usb-storage and usb-uas pulled by QMP in mid-transfer and put in again",
    run: async (count) =>
      runTest("packages/node/test/system/xhci-qemu.test.ts", "DRYDOCK_XHCI_ROUNDS", count ?? 200, (plugs) => [
        `${plugs} times each: every request ended once, and nothing stayed mapped but what the controller itself keeps`,
      ]),
  },
  "zero-dma": {
    summary: "P18's good driver: random writes of 512 bytes to 1 MiB, all read back, below and above 4 GiB",
    run: async (count) =>
      runTest("cases/P18-zero-dma/case.test.ts", "DRYDOCK_P18_MIB", count ?? 1024, (mebibytes) => [
        `${mebibytes} MiB at device addresses from 0x801c0000 and again from 0x180000000: verified, no access refused`,
      ]),
  },
  "lab-day": {
    summary: "a stepped rig as fast as it can, watched by one who keeps up and one who never reads",
    run: async (count) =>
      runTest(
        "apps/lab/src/session/lab-day.long.test.ts",
        "DRYDOCK_LAB_ROWS",
        count ?? 260_000_000,
        (rows) => [
          `${rows} rows, ${Math.round(rows / 3 / 3_600_000)} hours of the rig's time; the one had every row, the other eight frames; memory in use, looked at ten times after a collection, grew by less than 48 MiB`,
        ],
      ),
  },
  "raid-cuts": {
    summary: "power cuts behind the host adapter's dext under a journalled writer",
    run: async (count) =>
      runTest(
        "packages/core/src/trials/durability-raid.long.test.ts",
        "DRYDOCK_RAID_CUTS",
        count ?? 10_000,
        (cuts) => [`${cuts} cuts, the cable's power with them; no acknowledged flush was lost`],
      ),
  },
  "nvme-cuts": {
    summary:
      "power cuts of the NVMe disk under a journalled writer, and a controller that lies about flushes",
    run: async (count) =>
      runTest(
        "packages/core/src/trials/durability-nvme.long.test.ts",
        "DRYDOCK_NVME_CUTS",
        count ?? 10_000,
        (cuts) => [
          `${cuts} cuts, the cable's power with them; no acknowledged flush was lost`,
          "a controller that acknowledges flushes and keeps nothing was found and named by layer",
        ],
      ),
  },
  "timeline-rows": {
    summary: "rows pushed through a timeline: memory flat, every loss counted",
    run: async (count) =>
      runTest(
        "packages/core/src/trace/timeline.long.test.ts",
        "DRYDOCK_ROWS",
        count ?? 100_000_000,
        (rows) => [
          `${rows} rows with data and texts; memory in use, looked at twenty times after a collection, stayed within the limit of 16 MiB and 8 more; rows kept and lost add up`,
        ],
      ),
  },
  "doctor-mutations": {
    summary:
      "mutated packages, cpio archives and captures under their readers, and files of every kind under redact",
    run: async (count) =>
      runTest(
        "packages/doctor/src/evidence/fuzz.long.test.ts",
        "DRYDOCK_FUZZ_NEW",
        count ?? 1_000_000,
        (files) => [
          `${files} mutated files for each of: installer packages, cpio, captures of link types 189, 220, 249, 266 and 288; each read to an end, memory bounded`,
          `${files} mutated files of all kinds redacted: an end each time, nothing but a refusal in words`,
        ],
      ),
  },
  "descriptors-guest": {
    summary:
      "every planted fault of USB descriptors shown to a Linux guest, and what the doctor says of Linux held against it",
    run: async (count) =>
      runTest(
        "packages/doctor/test/system/descriptors-guest.test.ts",
        "DRYDOCK_DESCRIPTORS_GUEST",
        count ?? 1000,
        () => [
          "one boot of the guest over USB/IP; the sentence of each fault is what its log, its drivers and its settings show",
        ],
        /^descriptors: /,
      ),
  },
  signatures: {
    summary: "mutated CMS, code signatures and signed bundles under reading and verifying",
    run: async (count) =>
      runTest(
        "packages/doctor/src/signing/signature-fuzz.long.test.ts",
        "DRYDOCK_SIGNATURES",
        count ?? 1_000_000,
        (inputs) => [
          `${inputs} mutated inputs, half of them CMS, one in a thousand a whole bundle: each read and verified to an end, memory bounded`,
          "no changed content or signature was called fitting",
        ],
        /^(?:CMS|code signatures|bundles): /,
      ),
  },
  flaky: {
    summary:
      "unit tests in drawn orders and companies, 100 times, and system tests on one busy core, a tenth as often",
    run: async (count) => {
      const root = join(import.meta.dirname, "../..");
      const units = count ?? 100;
      const book = huntFlaky({
        root,
        book: join(root, "build/flaky.json"),
        commit: () => `${commitOfTree()} ${changesOfTree()}`.trim(),
        units,
        systems: Number(process.env.DRYDOCK_FLAKY_SYSTEM ?? Math.ceil(units / 10)),
        onRun: ({ failed, kind, seconds, seed }) =>
          process.stderr.write(`${kind} ${seed}: ${failed.length} failed, ${seconds} s\n`),
      });
      return judgeFlaky(book);
    },
  },
  "nbd-load": {
    summary: "100,000,000 requests of a served disk: memory, descriptors, and the pauses of the collector",
    run: async (count) => loadNbd(count ?? 100_000_000, (line) => process.stderr.write(`${line}\n`)),
  },
  "test-times": {
    summary: "what the last whole runs of npm test took in this folder, and their slowest files",
    run: async () => timesOf(join(import.meta.dirname, "../..")),
  },
  "disk-hostile": {
    summary: `${connections} hostile connections of four kinds at each door: NBD (TCP, a Unix socket, TLS), iSCSI, USB/IP, usbredir, RFC 2217, the board`,
    run: async (count) => {
      const reports = await attackDoors({
        connections: count ?? connections,
        honest: 30,
        reads: 1000,
        looksAfter: true,
        onAttack: (report) => process.stderr.write(`${lineOf(report)}\n`),
      });
      return {
        lines: reports.map(lineOf),
        problems: [
          ...reports.flatMap(problemsOf),
          ...reports.flatMap(leftoversOf),
          ...reports.flatMap(slownessOf),
        ],
      };
    },
  },
};

/** Every single fault of every rig, and so many pairs of each. */
async function runCampaigns(pairs: number): Promise<Result> {
  const lines: string[] = [];
  const problems: string[] = [];
  let tried = 0;
  for (const entry of explorables) {
    const report = await runCampaign(entry, { seed: 1, turn: hostTurn, pairs });
    const accesses = Object.entries(report.accesses).map(([kind, count]) => `${count} ${kind}`);
    lines.push(
      `${entry.name} (${accesses.join(", ")}): ${report.tried} tried, ${report.fired} fired, ${report.failed} with findings`,
    );
    tried += report.tried;
    if (report.tried !== report.fired)
      problems.push(`${entry.name}: ${report.tried - report.fired} faults never struck`);
    for (const { count, problem, rule } of report.findings)
      problems.push(`${entry.name}: ${rule}: ${count} runs, the first: ${problem}`);
  }
  return { lines: [`${tried} runs, every single fault and ${pairs} pairs of each rig`, ...lines], problems };
}

/** The smallest rig: one device, one driver, one transfer. */
const smallestRig = "smallest.rig.ts";

function runSeeds(seeds: number): Result {
  const root = join(import.meta.dirname, "../..");
  const begun = performance.now();
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [
      join(root, "apps/cli/src/main.ts"),
      "campaign",
      "run",
      join(import.meta.dirname, smallestRig),
      "--seeds",
      String(seeds),
      "--json",
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  );
  const seconds = (performance.now() - begun) / 1000;
  const busy = childrenSeconds();
  if (status === null || stdout === "") return { lines: [], problems: [stderr.slice(0, 500)] };
  const { findings, fired, lost, outcomes, tried } = JSON.parse(stdout) as CampaignReport;
  const ends = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  // A machine that had other work too is asked what this cost it, not how long it took.
  const perCoreHour = (tried * 3600) / busy;
  return {
    lines: [
      `${tried} scenarios, ${fired} with their fault struck: ${ends.join(", ")}`,
      `${Math.round(busy)} s of processor time in ${Math.round(seconds)} s on ${cpus().length} cores: ${(perCoreHour / 1e6).toFixed(2)} million per core and hour; 10^9 would take ${Math.round(1e9 / perCoreHour)} core hours`,
    ],
    problems: [
      ...(tried === seeds && fired === tried ? [] : [`${tried} of ${seeds} were tried, ${fired} struck`]),
      ...findings.map(({ count, problem, rule }) => `${rule}: ${count} runs, the first: ${problem}`),
      ...lost.map(({ runs: which, why }) => `not run: ${which}: ${why}`),
    ],
  };
}

/** Processor time of the processes that this one has waited for, and of theirs, in seconds: cutime and cstime of proc(5), in ticks of 10 ms. */
function childrenSeconds(): number {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(13, 15);
  return (Number(user) + Number(system)) / 100;
}

/** Of a failure's message so many are kept. */
const messageLines = 12;

/** A long test with a count of its own choice, given by the environment. One that was skipped was not run: that is a problem. */
/** `told`: which of the test's diagnostics belong into the record. */
function runTest(
  files: string | readonly string[],
  variable: string,
  count: number,
  say: (count: number) => string[],
  told: RegExp | null = null,
): Result {
  const paths = [files].flat().map((file) => join(import.meta.dirname, "../..", file));
  const settings = ["--test", "--test-concurrency=1", "--test-reporter=tap"];
  const { status, stdout } = spawnSync(process.execPath, [...settings, ...paths], {
    encoding: "utf8",
    env: { ...process.env, [variable]: String(count) },
  });
  const rows = stdout.split("\n");
  const skipped = rows.filter((line) => /^ *ok .*# SKIP/.test(line)).map((line) => `not run: ${line.trim()}`);
  // A message of several lines stands in those below its key, deeper.
  const failed = rows.flatMap((line, at) => {
    if (/^ *not ok/.test(line)) return [line.trim()];
    const key = /^( +)error:(.*)$/.exec(line);
    if (key === null) return [];
    const below = rows.slice(at + 1, at + 1 + messageLines);
    const end = below.findIndex((each) => !each.startsWith(`${key[1]}  `));
    const message = /^ *[|>]-?$/.test(key[2]) ? below.slice(0, end < 0 ? undefined : end) : [key[2]];
    return [message.map((each) => each.trim()).join(" ")];
  });
  const problems = status === 0 || failed.length > 0 ? failed : [`the test ended with ${status}`];
  const diagnostics = rows
    .map((line) => line.replace(/^ *# /, ""))
    .filter((line) => told?.test(line) ?? false);
  return {
    lines: skipped.length + problems.length > 0 ? diagnostics : [...say(count), ...diagnostics],
    problems: [...skipped, ...problems],
  };
}

const killServers = (variable: string, count: number): Result =>
  runTest(
    "apps/board/test/board-kill-servers.long.test.ts",
    variable,
    count,
    (kills) => [
      `${kills} kills at drawn moments: after each, every act that had been acknowledged was there; at the end each was there once, counters agree with the counted rows, and no job was recorded twice`,
    ],
    /^(?:SQLite|PostgreSQL): \d+ kills: /,
  );

function lineOf(report: AttackReport): string {
  const { afterMib, attack, attackP99, came, connections: held, logLines, mostMib, protocol } = report;
  const { quietMib, quietP99, seconds, served } = report;
  return `${protocol}, ${held} ${attack}: ${served} of ${came} honest clients served; p99 of one that was there ${quietP99.toFixed(2)} -> ${attackP99.toFixed(2)} ms; ${quietMib} -> at most ${mostMib} -> ${afterMib} MiB; ${logLines} log lines in ${seconds.toFixed(0)} s`;
}

/** Digest of what is not committed; nothing when all is. */
function changesOfTree(): string {
  const { stdout } = spawnSync("git", ["diff", "HEAD", "--", ":!perf"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return stdout === "" ? "" : createHash("sha256").update(stdout).digest("hex").slice(0, 12);
}

function commitOfTree(): string {
  return spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).stdout.trim();
}

const [name, count] = process.argv.slice(2);
const chosen = Object.hasOwn(runs, name ?? "") ? runs[name] : null;
if (chosen === null || (count !== undefined && !/^[1-9]\d*$/.test(count))) {
  process.stderr.write("npm run endurance -- NAME [COUNT]\n");
  for (const [known, { summary }] of Object.entries(runs)) process.stderr.write(`  ${known}: ${summary}\n`);
  process.exitCode = 2;
} else {
  const begun = performance.now();
  const [load] = loadavg();
  const { lines, problems } = await chosen.run(count === undefined ? null : Number(count));
  const commit = commitOfTree();
  const text = [
    `# ${name}`,
    "",
    `${chosen.summary}. \`npm run endurance -- ${name}\``,
    "",
    `Commit ${commit}, ${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model}, ${cpus().length} processors, load ${load.toFixed(1)} at the beginning; ${Math.round((performance.now() - begun) / 1000)} s.`,
    "",
    ...lines.map((line) => `- ${line}`),
    ...(problems.length === 0 ? ["- nothing that must not be"] : problems.map((line) => `- **${line}**`)),
    "",
  ].join("\n");
  process.stdout.write(text);
  mkdirSync(import.meta.dirname, { recursive: true });
  writeFileSync(join(import.meta.dirname, `${name}.md`), text);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
