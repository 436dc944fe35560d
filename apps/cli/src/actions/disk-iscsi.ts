// drydock disk serve --iscsi: a modelled SCSI disk for initiators, with nothing between them and the logical unit.

import { Random } from "@drydock/core/base/random";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import type { ChapSecret } from "@drydock/core/outlets/iscsi/iscsi-login";
import { IscsiTarget } from "@drydock/core/outlets/iscsi/iscsi-target";
import { withQuirks } from "@drydock/core/rigs/storage-rig";
import { formatCoverage, ScsiCoverage } from "@drydock/core/trace/scsi-coverage";
import { HostClock } from "@drydock/node/host-clock";
import { listenIscsi, secureRandomBytes } from "@drydock/node/iscsi-listener";
import type { InputFile } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { quietLines } from "../terminal/quiet-lines.ts";
import { hostPort, shellWord } from "../terminal/shell-word.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { type DiskServeOptions, identityOf } from "./disk.ts";
import { type DiskFileOptions, type DiskFiles, openDiskFiles } from "./disk-files.ts";
import { endings } from "./endings.ts";
import { isLoopback, orSayTaken, reachableName } from "./listening.ts";
import { damage, judgeBadBlocks, type QuirkOptions, quirksLine, quirksOf } from "./quirky-disk.ts";

const defaultTargetName = "iqn.2026-01.org.example:disk";
const iscsiPort = 3260;
/** 96 bits: less needs encryption, which is not offered (RFC 7143 §9.2.1). */
const secretMinimumBytes = 12;

/** What a target needs; the rest of the options is about talking of it. */
export interface TargetOptions
  extends DiskFileOptions,
    QuirkOptions,
    Pick<DiskServeOptions, "host" | "port"> {
  readonly target?: string;
  readonly chapUser?: string;
  readonly chapSecretFile?: InputFile;
  readonly chapMutualUser?: string;
  readonly chapMutualSecretFile?: InputFile;
}

export interface IscsiServeOptions extends DiskServeOptions, TargetOptions {
  readonly coverage: boolean;
}

/** A secret from a file or else from the environment, never from an argument that others can see. */
function secretOf(file: InputFile | undefined, variable: string, option: string): string {
  const given =
    file === undefined
      ? process.env[variable]
      : file
          .bytes()
          .toString("utf8")
          .replace(/\r?\n$/, "");
  if (given === undefined || given === "")
    throw new UsageError(`a CHAP secret is missing: ${option} FILE, or ${variable} in the environment`);
  if (Buffer.byteLength(given) < secretMinimumBytes)
    throw new UsageError(`a CHAP secret has at least ${secretMinimumBytes} bytes; nothing else protects it`);
  return given;
}

function chapOf(options: TargetOptions): ChapSecret | null {
  const { chapUser: user, chapMutualUser: mutualUser } = options;
  if (user === undefined) return null;
  const secret = secretOf(options.chapSecretFile, "DRYDOCK_CHAP_SECRET", "--chap-secret-file");
  if (mutualUser === undefined) return { user, secret };
  const mutual = secretOf(
    options.chapMutualSecretFile,
    "DRYDOCK_CHAP_MUTUAL_SECRET",
    "--chap-mutual-secret-file",
  );
  if (mutual === secret) throw new UsageError("the two CHAP secrets must differ (RFC 7143 §9.2.1)");
  return { user, secret, mutual: { user: mutualUser, secret: mutual } };
}

export interface ServedTarget {
  readonly name: string;
  readonly port: number;
  /** `iscsi://HOST:PORT`, and one URL for each unit. */
  readonly portal: string;
  readonly urls: readonly string[];
  readonly coverage: ScsiCoverage | null;
  readonly files: DiskFiles;
  /** False: the host has failed a flush, and what was written may be lost. */
  close(): Promise<boolean>;
}

/** Listens. UsageError for wrong options. */
export async function openIscsiTarget(
  options: TargetOptions,
  isCovered: boolean,
  io: CommandIo,
): Promise<ServedTarget> {
  const name = options.target ?? defaultTargetName;
  const chap = chapOf(options);
  const files = openDiskFiles(options, identityOf({ port: options.port ?? iscsiPort }, name), io);
  try {
    return await openTarget(options, name, chap, files, isCovered, io);
  } catch (error) {
    files.abandon();
    throw error;
  }
}

async function openTarget(
  options: TargetOptions,
  name: string,
  chap: ChapSecret | null,
  files: DiskFiles,
  isCovered: boolean,
  io: CommandIo,
): Promise<ServedTarget> {
  const clock = new HostClock();
  files.runBy(clock);
  judgeBadBlocks(options, files.units);
  const disk = new ScsiDiskDevice({ clock, random: new Random(options.seed), units: files.units });
  damage(disk, options);
  const quirky = withQuirks(disk, clock, quirksOf(options)).target;
  const coverage = isCovered ? new ScsiCoverage(quirky) : null;
  const lines = quietLines((line) => io.event(line), clock);
  const target = new IscsiTarget({
    name,
    port: coverage ?? quirky,
    clock,
    ...(chap === null ? {} : { chap }),
    randomBytes: secureRandomBytes,
    onEvent: (text) => lines.say(`  ${text}`),
  });
  const { host } = options;
  const port = options.port ?? iscsiPort;
  const listener = await orSayTaken(listenIscsi(target, { host, port }), { host, port });
  const reached = reachableName(host);
  const portal = hostPort(reached, listener.port);
  return {
    name,
    port: listener.port,
    portal: `iscsi://${portal}`,
    urls: options.name.map((_disk, lun) => `iscsi://${portal}/${name}/${lun}`),
    coverage,
    close: async () => {
      target.close();
      await listener.close();
      clock.stop();
      lines.end();
      return files.close();
    },
    files,
  };
}

/** Runs until Ctrl-C or the end of `--for`. UsageError for wrong options; a taken port is a rig error that names it. */
export async function serveIscsi(given: IscsiServeOptions, io: CommandIo): Promise<ExitCode> {
  const options = given.name.length > 0 ? given : { ...given, name: ["disk"] };
  const served = await openIscsiTarget(options, options.coverage, io);
  const { portal, urls } = served;
  io.say(
    `drydock: ${urls.length} SCSI disk of ${served.files.sizeLine}${quirksLine(options)}, seed ${options.seed}; Ctrl-C ends it, ${served.files.whatStays}`,
  );
  for (const note of served.files.notes) io.say(`  ${note}`);
  for (const url of urls) io.say(`  ${url}`);
  const asks = options.chapUser === undefined ? "" : `${encodeURIComponent(options.chapUser)}%25SECRET@`;
  const portalName = portal.slice("iscsi://".length);
  io.say(`  try  iscsi-ls -s ${shellWord(`iscsi://${asks}${portalName}`)}`);
  io.say(`       iscsiadm -m discovery -t sendtargets -p ${shellWord(portalName)}`);
  io.say(`       iscsiadm -m node -T ${served.name} -p ${shellWord(portalName)} --login`);
  if (!isLoopback(options.host))
    io.say(
      `drydock: warning: everybody who reaches ${portalName} can ${options.chapUser === undefined ? "read and write" : "read what passes: CHAP asks who they are, nothing is encrypted"}`,
    );
  if (options.json) io.document({ port: served.port, target: served.name, portal, urls }, "line");
  let code: ExitCode = exitCodes.pass;
  await new Promise<void>((resolve) => {
    endings(options.for, (how) => {
      code = exitCodes[how];
      resolve();
    });
  });
  if (served.coverage !== null && options.json) io.document(served.coverage.report(), "line");
  else if (served.coverage !== null) io.print(formatCoverage(served.coverage.report()));
  return (await served.close()) ? code : exitCodes.rigError;
}
