// A thousand hostile connections at each door that we open, four kinds of them, while honest clients come and go.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { type Attack, attacks, type Protocol, peers } from "./peers/attackers.ts";
import { type Peer, type Session, Wire } from "./peers/wire.ts";

const root = join(import.meta.dirname, "../..");
const program = join(root, "apps/cli/src/main.ts");
/** Quiet for so long before memory is looked at: closed sockets are let go within a second. */
const calmMs = 4000;
/** A device that is for one is reset between two clients. */
const resetMs = 300;

export interface AttackReport {
  readonly protocol: Protocol;
  readonly attack: Attack;
  readonly connections: number;
  /** Honest clients that came during the attack, and those of them that were served. */
  readonly came: number;
  readonly served: number;
  /** 99th percentile of a request of a client that was there before, milliseconds. */
  readonly quietP99: number;
  readonly attackP99: number;
  /** Resident memory, MiB. */
  readonly quietMib: number;
  readonly mostMib: number;
  /** Null: not looked at. */
  readonly afterMib: number | null;
  readonly logLines: number;
  readonly seconds: number;
}

export interface HostileOptions {
  readonly connections: number;
  readonly honest: number;
  /** Requests of the client that is there, before and during. */
  readonly reads: number;
  /** Waits until all is calm after an attack, and looks at memory then. */
  readonly looksAfter: boolean;
  /** False: left out. Default: all. */
  readonly isWanted?: (protocol: Protocol, attack: Attack) => boolean;
  readonly onAttack?: (report: AttackReport) => void;
}

function residentMib(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

/** Behind all others, also where this run has the processor in the real-time class. */
function yieldProcessor(pid = 0): void {
  if (pid === 0) return;
  spawnSync("chrt", ["--all-tasks", "--other", "--pid", "0", String(pid)]);
  setPriority(pid, 10);
}

/** Nothing is computed for as long as a thread that has nothing to do is kept, and a little more. */
async function atRest(child: ChildProcess): Promise<void> {
  for (let still = 0, before = -1, waited = 0; still < 7 && waited < 120; waited++) {
    const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
    // utime and stime (proc_pid_stat(5)), in hundredths of a second.
    const spent = Number(fields[11]) + Number(fields[12]);
    still = spent - before <= 5 ? still + 1 : 0;
    before = spent;
    await pause(1000);
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function p99(session: Session, reads: number): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < reads; count++) {
    const begun = performance.now();
    await session.ask();
    times.push(performance.now() - begun);
    await pause(1);
  }
  times.sort((left, right) => left - right);
  return times[Math.floor(times.length * 0.99)];
}

async function comes(place: number | string, peer: Peer, index: number): Promise<void> {
  const session = await peer.open(new Wire(place), `honest${index}`);
  await session.ask();
  session.close();
}

async function attackOnce(
  protocol: Protocol,
  attack: Attack,
  options: HostileOptions,
): Promise<AttackReport> {
  const peer: Peer = peers[protocol];
  const home = mkdtempSync(join(tmpdir(), "drydock-hostile-"));
  const where = peer.where?.(home) ?? ["--port", "0"];
  const server = spawn(process.execPath, [program, ...peer.command, "--json", ...where], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DRYDOCK_HOME: home },
  });
  let log = "";
  server.stderr.on("data", (bytes: Buffer) => {
    log += bytes.toString();
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const place = peer.placeOf(JSON.parse(line.toString()) as Record<string, unknown>);
  let came = 0;
  let served = 0;
  let mostMib = 0;
  const visit = async (visiting: () => Promise<void>): Promise<void> => {
    came++;
    try {
      await visiting();
      served++;
    } catch {
      // Not served: counted by what is missing.
    }
    mostMib = Math.max(mostMib, residentMib(server));
  };
  try {
    if (peer.worksAtFirst === true) await atRest(server);
    const staying = await peer.open(new Wire(place), "staying");
    // Everything is loaded and grown when the quiet is measured.
    await p99(staying, 100);
    const quietP99 = await p99(staying, options.reads);
    const quietMib = residentMib(server);
    const before = log.length;
    const begun = performance.now();
    const words = [String(place), protocol, attack, String(options.connections)];
    const attacker = spawn(process.execPath, [join(import.meta.dirname, "peers/attackers.ts"), ...words], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(attacker.stdout, "data");
    // They would be on other machines: the processor is the server's, and of the clients whose time is taken.
    yieldProcessor(attacker.pid);
    await pause(500);
    const watching = p99(staying, options.reads);
    // Where one has all, others can only look; else they do what the one that stays does.
    const { visit: looks } = peer;
    if (looks !== undefined || !peer.isForOne)
      for (let count = 0; count < options.honest; count++) {
        await visit(looks === undefined ? () => comes(place, peer, count) : () => looks(new Wire(place)));
        await pause(50);
      }
    const attackP99 = await watching;
    mostMib = Math.max(mostMib, residentMib(server));
    if (peer.isForOne && !peer.lawful.includes(attack)) {
      staying.close();
      for (let count = 0; count < options.honest; count++) {
        await pause(resetMs);
        await visit(() => comes(place, peer, count));
      }
    }
    // They have nothing to put away, and may be too busy to hear that it is over.
    attacker.kill("SIGKILL");
    if (attacker.exitCode === null) await once(attacker, "exit");
    const seconds = (performance.now() - begun) / 1000;
    const logLines = log.slice(before).split("\n").length - 1;
    staying.close();
    const afterMib = options.looksAfter ? await memoryAfter(server, peer, place, quietMib) : null;
    const { connections } = options;
    const memory = { quietMib, mostMib, afterMib };
    return { protocol, attack, connections, came, served, quietP99, attackP99, ...memory, logLines, seconds };
  } finally {
    server.kill("SIGINT");
    if (server.exitCode === null) await once(server, "exit");
    rmSync(home, { recursive: true, force: true });
  }
}

/** What is missing here, or null. */
export function hostileSkip(): string | null {
  if (process.platform !== "linux") return "resident memory is read from /proc";
  return spawnSync("openssl", ["version"]).error === undefined ? null : "Debian package openssl is missing";
}

/** What is resident when they are gone and the server has had time to notice. */
async function memoryAfter(server: ChildProcess, peer: Peer, place: number | string, quietMib: number) {
  await pause(calmMs);
  const last = await peer.open(new Wire(place), "last");
  await p99(last, 200);
  // On a busy machine it takes longer until memory has come back.
  for (let waited = 0; waited < 10 && residentMib(server) > quietMib * 1.1; waited++) await pause(1000);
  last.close();
  return residentMib(server);
}

export async function attackDoors(options: HostileOptions): Promise<readonly AttackReport[]> {
  const reports: AttackReport[] = [];
  for (const protocol of Object.keys(peers) as Protocol[])
    for (const attack of attacks) {
      if (options.isWanted?.(protocol, attack) === false) continue;
      const report = await attackOnce(protocol, attack, options);
      reports.push(report);
      options.onAttack?.(report);
    }
  return reports;
}

/** What is wrong with a report, apart from times, and from memory afterwards. */
export function problemsOf(report: AttackReport): string[] {
  const { attack, came, logLines, mostMib, protocol, seconds, served } = report;
  const where = `${protocol}, ${attack}`;
  return [
    ...(served < came ? [`${where}: ${served} of ${came} honest clients were served`] : []),
    ...(mostMib > 256 ? [`${where}: ${mostMib} MiB resident`] : []),
    ...(logLines > seconds + 1 ? [`${where}: ${logLines} log lines in ${seconds.toFixed(1)} s`] : []),
  ];
}

/** Of memory that is to come back, for the endurance run: when it does is the collector's to time on a busy machine. */
export function leftoversOf({ afterMib, attack, protocol, quietMib }: AttackReport): string[] {
  if (afterMib === null || afterMib <= quietMib * 1.1) return [];
  return [`${protocol}, ${attack}: ${afterMib} MiB resident afterwards, ${quietMib} before`];
}

/** Of times, for the endurance run: at most twice what it was in the quiet, or 2 ms. */
export function slownessOf({ attack, attackP99, protocol, quietP99 }: AttackReport): string[] {
  const most = Math.max(2, 2 * quietP99);
  return attackP99 <= most
    ? []
    : [`${protocol}, ${attack}: p99 ${attackP99.toFixed(2)} ms, ${quietP99.toFixed(2)} ms in the quiet`];
}
