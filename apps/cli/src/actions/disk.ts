// drydock disk serve: a modelled disk over NBD, for programs on this machine.

import { createSecureContext } from "node:tls";
import { Random } from "@drydock/core/base/random";
import { shown } from "@drydock/core/base/shown-text";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MemoryDisk } from "@drydock/core/devices/memory-disk/memory-disk-device";
import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { NbdServer } from "@drydock/core/outlets/nbd/nbd-server";
import type { BlockPort } from "@drydock/core/ports/block";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { HostClock } from "@drydock/node/host-clock";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listenNbd } from "@drydock/node/nbd-listener";
import type { StepTaker } from "@drydock/node/ordered-steps";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { quietLines } from "../terminal/quiet-lines.ts";
import { hostPort, shellWord } from "../terminal/shell-word.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { type DiskFileOptions, type DiskFiles, openDiskFiles, sizeText } from "./disk-files.ts";
import { endings } from "./endings.ts";
import { isLoopback, orSayTaken, reachableName } from "./listening.ts";
import { damage, judgeBadBlocks, type QuirkOptions, quirksLine, quirksOf } from "./quirky-disk.ts";
import { recordingFor, writeRecordings } from "./recording-files.ts";

export interface DiskServeOptions extends DiskFileOptions, QuirkOptions {
  readonly host: string;
  /** The protocol's own where none was given. */
  readonly port?: number;
  readonly unix?: string;
  readonly through: "uas" | "bulk-only" | "none";
  readonly fault: readonly UsbFaultRule[];
  readonly pcap?: OutputFile;
  readonly perfetto?: OutputFile;
  readonly tlsCertificate?: InputFile;
  readonly tlsKey?: InputFile;
  readonly tlsRequire: boolean;
  readonly for?: number;
  readonly json: boolean;
}

/** The disks, and what runs them. */
interface Disks {
  readonly ports: readonly BlockPort[];
  readonly clock: HostClock | ReturnType<typeof defaultStorageRig>["machine"]["scheduler"];
  /** Takes what comes from sockets. */
  readonly steps: StepTaker;
  /** What passed on the bus; null where there is none. */
  readonly trace: UsbTraceLog | null;
  /** Until `stop`. */
  run(): Promise<void>;
  stop(): void;
}

async function bringUp(options: DiskServeOptions, files: DiskFiles): Promise<Disks> {
  const { seed, through, fault } = options;
  const { units } = files;
  if (through === "none") {
    const clock = new HostClock();
    const random = new Random(seed);
    const ports = units.map(({ blockBytes, blockCount }, index) =>
      new MemoryDisk({
        clock,
        random: random.fork(`disk ${index}`),
        blockCount,
        ...(blockBytes === undefined ? {} : { blockBytes }),
      }).powerOn(),
    );
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    return {
      ports,
      clock,
      steps: clock,
      trace: null,
      run: () => ended,
      stop: () => {
        clock.stop();
        end();
      },
    };
  }
  const rig = defaultStorageRig(seed, hostTurn, {
    timing: "none",
    ...recordingFor(options),
    ...(fault.length > 0 ? { faults: { rules: fault } } : {}),
    policy: through,
    device: { speed: UsbSpeed.super },
    units,
    quirks: quirksOf(options),
  });
  damage(rig.disk, options);
  const ports: BlockPort[] = [];
  for (let index = 0; index < units.length; index++) ports.push(await rig.openMedia(index));
  const runner = new LiveRunner(rig.machine.scheduler);
  return {
    ports,
    clock: rig.machine.scheduler,
    steps: runner,
    trace: rig.usb.trace,
    run: () => runner.start(),
    stop: () => void runner.stop(),
  };
}

const nbdPort = 10809;

/** Runs until Ctrl-C or the end of `--for`. A taken port is a rig error that names it. */
export async function serveDisk(given: DiskServeOptions, io: CommandIo): Promise<ExitCode> {
  const options = given.name.length > 0 ? given : { ...given, name: ["disk"] };
  const { tlsCertificate, tlsKey, unix } = options;
  const tls =
    tlsCertificate === undefined || tlsKey === undefined
      ? null
      : { certificate: tlsCertificate.bytes(), key: tlsKey.bytes() };
  if (tls !== null) mustBePair(tls);
  const port = options.port ?? nbdPort;
  const identity = identityOf({ port, ...(unix === undefined ? {} : { unix }) }, "nbd");
  const files = openDiskFiles(options, identity, io);
  let isServed = false;
  const served = (): void => {
    isServed = true;
  };
  try {
    return await serveFiles(options, port, tls, files, served, io);
  } catch (error) {
    // What a client may have written is never taken away, whatever went wrong later.
    if (!isServed) files.abandon();
    throw error;
  }
}

/** What makes the disks in memory of this server others than those of the next one. */
export function identityOf(options: { readonly port: number; readonly unix?: string }, name: string): string {
  const { port, unix } = options;
  return JSON.stringify([name, unix ?? (port === 0 ? `process ${process.pid}` : port)]);
}

async function serveFiles(
  options: DiskServeOptions,
  port: number,
  tls: { readonly certificate: Buffer; readonly key: Buffer } | null,
  files: DiskFiles,
  served: () => void,
  io: CommandIo,
): Promise<ExitCode> {
  const { tlsRequire, through, unix, host } = options;
  judgeBadBlocks(options, files.units);
  const disks = await bringUp(options, files);
  files.runBy(disks.steps);
  const lines = quietLines((line) => io.event(line), new HostClock());
  const server = new NbdServer({
    clock: disks.clock,
    tls: tlsRequire ? "require" : tls === null ? "none" : "offer",
    onEvent: (text) => lines.say(`  ${text}`),
  });
  for (const [index, name] of options.name.entries()) {
    const way = through === "none" ? "in memory" : `through ${through}`;
    server.attach(name, disks.ports[index], {
      description: `${sizeText(files.units[index].lengthBytes)} ${way}`,
      ...(options.readOnly ? { isReadOnly: true } : {}),
    });
  }
  const listener = await orSayTaken(
    listenNbd(server, {
      ...(unix === undefined ? { host, port } : { path: unix }),
      steps: disks.steps,
      ...(tls === null ? {} : { tls }),
    }),
    { host, port, ...(unix === undefined ? {} : { path: unix }) },
  );
  served();
  const scheme = tlsRequire ? "nbds" : "nbd";
  const reached = reachableName(host);
  const uris = options.name.map((name) =>
    unix === undefined
      ? `${scheme}://${hostPort(reached, listener.port)}/${encodeURIComponent(name)}`
      : `${scheme}+unix:///${encodeURIComponent(name)}?socket=${encodeURIComponent(unix)}`,
  );
  io.say(
    `drydock: ${files.sizeLine} disk${quirksLine(options)} through ${through}, seed ${options.seed}; Ctrl-C ends it, ${files.whatStays}`,
  );
  for (const note of files.notes) io.say(`  ${note}`);
  for (const uri of uris) io.say(`  ${shown(uri)}`);
  // What encrypts needs the certificate that it shall trust; libnbd looks for it in a folder.
  const trusted = tlsRequire ? "&tls-certificates=FOLDER" : "";
  const tip = `${uris[0]}${trusted === "" ? "" : unix === undefined ? trusted.replace("&", "?") : trusted}`;
  io.say(`  try  nbdinfo ${shellWord(tip)}`);
  if (!tlsRequire) io.say(`       qemu-img convert -n -O raw IMAGE ${shellWord(uris[0])}`);
  else io.say("       (FOLDER holds your certificate, or its authority's, as ca-cert.pem)");
  if (unix === undefined && !isLoopback(host)) {
    const guard = tlsRequire ? "TLS encrypts, but asks nobody who they are" : "nothing is encrypted";
    io.say(
      `drydock: warning: everybody who reaches ${hostPort(host, listener.port)} can read and write; ${guard}`,
    );
  }
  if (options.json) io.document({ port: listener.port, uris }, "line");
  let code: ExitCode = exitCodes.pass;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    disks.stop();
  });
  await disks.run();
  ending.disarm();
  server.close();
  await listener.close();
  lines.end();
  const isKept = files.close();
  writeRecordings({ trace: disks.trace }, options, io);
  return isKept ? code : exitCodes.rigError;
}

/** UsageError for a certificate that does not belong to the key. */
function mustBePair(tls: { readonly certificate: Buffer; readonly key: Buffer }): void {
  try {
    createSecureContext({ cert: tls.certificate, key: tls.key });
  } catch {
    throw new UsageError(
      "--tls-certificate and --tls-key cannot be used: one of them is damaged, or the key is another certificate's",
    );
  }
}
