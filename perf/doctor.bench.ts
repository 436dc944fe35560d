// The doctor: a log scanned for all rules beside grep and JSON.parse on the same bytes; a small folder diagnosed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfBytes, sourceOfText } from "@drydock/doctor/facts/evidence-source";
import type { BenchRow, BenchTable } from "./run.ts";

const row =
  "2025-10-01 12:00:00.001250+0000 0x3e8      Default     0x0                  81     0    launchd: (libsystem_c.dylib) [com.example:service] nothing of interest happened at address 0x16f507f10\n";
const refusal =
  "kernel: (x.dext) DK: A-0x1:UC failed userclient-access check, needed bundle ID org.example.drv\n";
const rounds = 5;
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
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
