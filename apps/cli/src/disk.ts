// drydock disk: a modelled disk for programs on this machine, and the proof of what its flushes are worth.

import { readFileSync } from "node:fs";
import { Random } from "@drydock/core/base/random";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MemoryDisk } from "@drydock/core/devices/memory-disk/memory-disk-device";
import { NbdServer } from "@drydock/core/outlets/nbd/nbd-server";
import type { BlockPort } from "@drydock/core/ports/block";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import {
  memoryDurabilityBench,
  storageDurabilityBench,
  withShortModeSense,
} from "@drydock/core/trials/durability-benches";
import { formatDurability, proveDurability } from "@drydock/core/trials/durability-prover";
import { HostClock } from "@drydock/node/host-clock";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listenNbd } from "@drydock/node/nbd-listener";
import type { StepTaker } from "@drydock/node/ordered-steps";
import { type DiskFileOptions, type DiskFiles, openDiskFiles, sizeText } from "./disk-files.ts";
import { exitCodes } from "./exit-codes.ts";
import { isLoopback } from "./listening.ts";
import { endings, talk } from "./live-terminals.ts";

const layers = ["uas", "bulk-only", "none"] as const;
type Layers = (typeof layers)[number];

export interface DiskServeOptions extends DiskFileOptions {
  readonly host: string;
  readonly port: number;
  readonly unix?: string;
  readonly through: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly tlsRequire?: boolean;
  readonly for?: number;
  readonly json?: boolean;
}

export interface DiskProveOptions {
  readonly seed: number;
  readonly cuts: number;
  readonly transactions: number;
  readonly through: string;
  readonly fault?: string;
  readonly json?: boolean;
}

function layersOf(text: string): Layers {
  const found = layers.find((name) => name === text);
  if (found === undefined)
    throw new RangeError(`no way "${text}" to a disk; there are: ${layers.join(", ")}`);
  return found;
}

/** The disks, and what runs them. */
interface Disks {
  readonly ports: readonly BlockPort[];
  readonly clock: HostClock | ReturnType<typeof defaultStorageRig>["machine"]["scheduler"];
  /** Takes what comes from sockets and from files. */
  readonly steps: StepTaker;
  /** Until `stop`. */
  run(): Promise<void>;
  stop(): void;
}

async function bringUp(seed: number, files: DiskFiles, through: Layers): Promise<Disks> {
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
      run: () => ended,
      stop: () => {
        clock.stop();
        end();
      },
    };
  }
  const rig = defaultStorageRig(seed, hostTurn, {
    timing: "none",
    trace: false,
    policy: through,
    device: { speed: UsbSpeed.super },
    units,
  });
  const ports: BlockPort[] = [];
  for (let index = 0; index < units.length; index++) ports.push(await rig.openMedia(index));
  const runner = new LiveRunner(rig.machine.scheduler);
  return {
    ports,
    clock: rig.machine.scheduler,
    steps: runner,
    run: () => runner.start(),
    stop: () => void runner.stop(),
  };
}

/** Runs until Ctrl-C or the end of `--for`. RangeError for wrong options; a taken port is a rig error that names it. */
export async function serveDisk(options: DiskServeOptions): Promise<void> {
  const through = layersOf(options.through);
  const { tlsCertificate, tlsKey } = options;
  if ((tlsCertificate === undefined) !== (tlsKey === undefined))
    throw new RangeError("--tls-certificate and --tls-key belong together");
  if (options.tlsRequire === true && tlsKey === undefined)
    throw new RangeError("--tls-require needs --tls-certificate and --tls-key");
  if (through === "none" && options.file.length > 0)
    throw new RangeError("--file needs a SCSI disk: --through uas or bulk-only, or --iscsi");
  const files = openDiskFiles(options, identityOf(options, "nbd"));
  try {
    await serveFiles(options, through, files);
  } catch (error) {
    files.abandon();
    throw error;
  }
}

/** What makes the disks in memory of this server others than those of the next one. */
export function identityOf(options: { readonly port: number; readonly unix?: string }, name: string): string {
  const { port, unix } = options;
  return JSON.stringify([name, unix ?? (port === 0 ? `process ${process.pid}` : port)]);
}

async function serveFiles(options: DiskServeOptions, through: Layers, files: DiskFiles): Promise<void> {
  const { tlsCertificate, tlsKey } = options;
  const disks = await bringUp(options.seed, files, through);
  files.runBy(disks.steps);
  const server = new NbdServer({
    clock: disks.clock,
    tls: options.tlsRequire === true ? "require" : tlsKey === undefined ? "none" : "offer",
    onEvent: (text) => talk(`  ${text}`),
  });
  for (const [index, name] of options.name.entries()) {
    const way = through === "none" ? "in memory" : `through ${through}`;
    server.attach(name, disks.ports[index], {
      description: `${sizeText(files.units[index].lengthBytes)} ${way}`,
      ...(options.readOnly === true ? { isReadOnly: true } : {}),
    });
  }
  const listener = await listenNbd(server, {
    ...(options.unix === undefined ? { host: options.host, port: options.port } : { path: options.unix }),
    steps: disks.steps,
    ...(tlsCertificate === undefined || tlsKey === undefined
      ? {}
      : { tls: { certificate: readFileSync(tlsCertificate), key: readFileSync(tlsKey) } }),
  });
  const uriOf = (name: string): string =>
    options.unix === undefined
      ? `nbd://${options.host}:${listener.port}/${encodeURIComponent(name)}`
      : `nbd+unix:///${encodeURIComponent(name)}?socket=${options.unix}`;
  const uris = options.name.map(uriOf);
  talk(
    `drydock: ${files.sizeLine} disk through ${through}, seed ${options.seed}; Ctrl-C ends it, ${files.whatStays}`,
  );
  for (const note of files.notes) talk(`  ${note}`);
  for (const uri of uris) talk(`  ${uri}`);
  talk(`  try  nbdinfo ${uris[0]}\n       qemu-img convert -n -O raw IMAGE '${uris[0]}'`);
  if (options.unix === undefined && !isLoopback(options.host)) {
    const guard =
      options.tlsRequire === true ? "TLS encrypts, but asks nobody who they are" : "nothing is encrypted";
    talk(
      `drydock: warning: everybody who reaches ${options.host}:${listener.port} can read and write; ${guard}`,
    );
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify({ port: listener.port, uris })}\n`);
  let code: number = exitCodes.pass;
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    disks.stop();
  });
  await disks.run();
  ending.disarm();
  server.close();
  await listener.close();
  process.exitCode = files.close() ? code : exitCodes.rigError;
}

/** Exit code 1 and the first lost sector when a promise was broken. */
export async function proveDisk(options: DiskProveOptions): Promise<void> {
  const through = layersOf(options.through);
  const { fault } = options;
  if (fault !== undefined && fault !== "short-mode-sense")
    throw new RangeError(`no fault "${fault}"; there is: short-mode-sense (P19)`);
  if (fault !== undefined && through === "none")
    throw new RangeError("--fault short-mode-sense needs a SCSI disk: --through uas or bulk-only");
  for (const [name, value] of Object.entries({ cuts: options.cuts, transactions: options.transactions }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`--${name} takes a whole number from 1 on`);
  const isShown = process.stderr.isTTY === true;
  const report = await proveDurability({
    seed: options.seed,
    cuts: options.cuts,
    transactions: options.transactions,
    makeBench: async (seed) =>
      through === "none"
        ? memoryDurabilityBench(seed)
        : storageDurabilityBench(seed, hostTurn, {
            timing: "none",
            policy: through,
            ...(fault === undefined ? {} : { target: withShortModeSense }),
          }),
    onProgress: (cuts) => {
      if (isShown && cuts % 50 === 0) process.stderr.write(`\r${cuts} of ${options.cuts} cuts`);
    },
  });
  if (isShown) process.stderr.write("\r\x1b[K");
  if (options.json === true) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(formatDurability(report));
  process.exitCode = report.loss === null ? exitCodes.pass : exitCodes.finding;
}
