// A thousand hostile connections at a disk's door, four kinds of them, while honest clients come and go.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Attack, attacks, openSession, type Protocol, protocols, type Session } from "./peers.ts";

const root = join(import.meta.dirname, "../..");
const program = join(root, "apps/cli/src/main.ts");
/** Quiet for so long before memory is looked at: closed sockets are let go within a second. */
const calmMs = 3000;

export interface AttackReport {
  readonly protocol: Protocol;
  readonly attack: Attack;
  readonly connections: number;
  /** Honest clients that came during the attack, and those of them that were served. */
  readonly came: number;
  readonly served: number;
  /** 99th percentile of a read of a client that was there before, milliseconds. */
  readonly quietP99: number;
  readonly attackP99: number;
  /** Resident memory, MiB. */
  readonly quietMib: number;
  readonly mostMib: number;
  readonly afterMib: number;
  readonly logLines: number;
  readonly seconds: number;
}

export interface HostileOptions {
  readonly connections: number;
  readonly honest: number;
  /** Reads of the client that is there, before and during. */
  readonly reads: number;
  /** False: left out. Default: all. */
  readonly isWanted?: (protocol: Protocol, attack: Attack) => boolean;
  readonly onAttack?: (report: AttackReport) => void;
}

function residentMib(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function p99(session: Session, reads: number): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < reads; count++) {
    const begun = performance.now();
    await session.read();
    times.push(performance.now() - begun);
    await pause(1);
  }
  times.sort((left, right) => left - right);
  return times[Math.floor(times.length * 0.99)];
}

async function attackOnce(
  protocol: Protocol,
  attack: Attack,
  options: HostileOptions,
): Promise<AttackReport> {
  const iscsi = protocol === "iscsi" ? ["--iscsi"] : [];
  const server = spawn(
    process.execPath,
    [program, "disk", "serve", "--size", "64M", "--port", "0", "--json", ...iscsi],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  server.stderr.on("data", (bytes: Buffer) => {
    log += bytes.toString();
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const { port } = JSON.parse(line.toString()) as { port: number };
  try {
    const staying = await openSession(port, protocol, "iqn.2026-01.org.example:staying");
    // Everything is loaded and grown when the quiet is measured.
    await p99(staying, 50);
    const quietP99 = await p99(staying, options.reads);
    const quietMib = residentMib(server);
    const before = log.length;
    const begun = performance.now();
    const attacker = spawn(
      process.execPath,
      [join(import.meta.dirname, "peers.ts"), String(port), protocol, attack, String(options.connections)],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    await once(attacker.stdout, "data");
    await pause(500);
    let served = 0;
    let mostMib = 0;
    const watching = p99(staying, options.reads);
    for (let count = 0; count < options.honest; count++) {
      try {
        const session = await openSession(port, protocol, `iqn.2026-01.org.example:honest${count}`);
        await session.read();
        session.close();
        served++;
      } catch {
        // Not served: counted by what is missing.
      }
      mostMib = Math.max(mostMib, residentMib(server));
      await pause(50);
    }
    const attackP99 = await watching;
    mostMib = Math.max(mostMib, residentMib(server));
    attacker.stdin.end();
    if (attacker.exitCode === null) await once(attacker, "exit");
    const seconds = (performance.now() - begun) / 1000;
    const logLines = log.slice(before).split("\n").length - 1;
    await pause(calmMs);
    await p99(staying, 200);
    const afterMib = residentMib(server);
    staying.close();
    return {
      protocol,
      attack,
      connections: options.connections,
      came: options.honest,
      served,
      quietP99,
      attackP99,
      quietMib,
      mostMib,
      afterMib,
      logLines,
      seconds,
    };
  } finally {
    server.kill("SIGINT");
    await once(server, "exit");
  }
}

export async function attackDisks(options: HostileOptions): Promise<readonly AttackReport[]> {
  const reports: AttackReport[] = [];
  for (const protocol of protocols)
    for (const attack of attacks) {
      if (options.isWanted?.(protocol, attack) === false) continue;
      const report = await attackOnce(protocol, attack, options);
      reports.push(report);
      options.onAttack?.(report);
    }
  return reports;
}

/** What is wrong with a report, apart from times, which no test judges. */
export function problemsOf(report: AttackReport): string[] {
  const { attack, came, logLines, mostMib, protocol, seconds, served } = report;
  const where = `${protocol}, ${attack}`;
  return [
    ...(served < came ? [`${where}: ${served} of ${came} honest clients were served`] : []),
    ...(mostMib > 256 ? [`${where}: ${mostMib} MiB resident`] : []),
    ...(logLines > seconds + 2 ? [`${where}: ${logLines} log lines in ${seconds.toFixed(1)} s`] : []),
  ];
}
