// drydock disk serve --iscsi: a modelled SCSI disk for initiators, with nothing between them and the logical unit.

import { readFileSync } from "node:fs";
import { Random } from "@drydock/core/base/random";
import { isIscsiName } from "@drydock/core/codec/iscsi/text";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import type { ChapSecret } from "@drydock/core/outlets/iscsi/iscsi-login";
import { IscsiTarget } from "@drydock/core/outlets/iscsi/iscsi-target";
import { formatCoverage, ScsiCoverage } from "@drydock/core/trace/scsi-coverage";
import { HostClock } from "@drydock/node/host-clock";
import { listenIscsi, secureRandomBytes } from "@drydock/node/iscsi-listener";
import { type DiskServeOptions, identityOf } from "./disk.ts";
import { type DiskFiles, openDiskFiles } from "./disk-files.ts";
import { exitCodes } from "./exit-codes.ts";
import { isLoopback, orSayTaken, reachableName } from "./listening.ts";
import { endings, talk } from "./live-terminals.ts";

export const defaultTargetName = "iqn.2026-01.org.example:disk";
export const iscsiPort = 3260;
/** 96 bits: less needs encryption, which is not offered (RFC 7143 §9.2.1). */
const secretMinimumBytes = 12;

export interface IscsiServeOptions extends DiskServeOptions {
  readonly target?: string;
  readonly chapUser?: string;
  readonly chapSecretFile?: string;
  readonly chapMutualUser?: string;
  readonly chapMutualSecretFile?: string;
  readonly coverage?: boolean;
}

/** A secret from a file or else from the environment, never from an argument that others can see. */
function secretOf(file: string | undefined, variable: string, option: string): string {
  const given = file === undefined ? process.env[variable] : readFileSync(file, "utf8").replace(/\r?\n$/, "");
  if (given === undefined || given === "")
    throw new RangeError(`a CHAP secret is missing: ${option} FILE, or ${variable} in the environment`);
  if (Buffer.byteLength(given) < secretMinimumBytes)
    throw new RangeError(`a CHAP secret has at least ${secretMinimumBytes} bytes; nothing else protects it`);
  return given;
}

function chapOf(options: IscsiServeOptions): ChapSecret | null {
  const { chapUser: user, chapMutualUser: mutualUser } = options;
  if (user === undefined) {
    if (mutualUser !== undefined || options.chapSecretFile !== undefined)
      throw new RangeError("--chap-secret-file and --chap-mutual-user need --chap-user");
    return null;
  }
  const secret = secretOf(options.chapSecretFile, "DRYDOCK_CHAP_SECRET", "--chap-secret-file");
  if (mutualUser === undefined) return { user, secret };
  const mutual = secretOf(
    options.chapMutualSecretFile,
    "DRYDOCK_CHAP_MUTUAL_SECRET",
    "--chap-mutual-secret-file",
  );
  if (mutual === secret) throw new RangeError("the two CHAP secrets must differ (RFC 7143 §9.2.1)");
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

/** Listens. RangeError for wrong options. */
export async function openIscsiTarget(options: IscsiServeOptions, isCovered: boolean): Promise<ServedTarget> {
  const name = options.target ?? defaultTargetName;
  if (!isIscsiName(name))
    throw new RangeError(`"${name}" is no iSCSI name; write for example ${defaultTargetName}`);
  const chap = chapOf(options);
  const files = openDiskFiles(options, identityOf(options, name));
  try {
    return await openTarget(options, name, chap, files, isCovered);
  } catch (error) {
    files.abandon();
    throw error;
  }
}

async function openTarget(
  options: IscsiServeOptions,
  name: string,
  chap: ChapSecret | null,
  files: DiskFiles,
  isCovered: boolean,
): Promise<ServedTarget> {
  const clock = new HostClock();
  files.runBy(clock);
  const disk = new ScsiDiskDevice({ clock, random: new Random(options.seed), units: files.units });
  const coverage = isCovered ? new ScsiCoverage(disk) : null;
  const target = new IscsiTarget({
    name,
    port: coverage ?? disk,
    clock,
    ...(chap === null ? {} : { chap }),
    randomBytes: secureRandomBytes,
    onEvent: (text) => talk(`  ${text}`),
  });
  const { host } = options;
  const listener = await orSayTaken(listenIscsi(target, { host, port: options.port }), host, options.port);
  const reached = reachableName(host);
  const portal = `${reached.includes(":") ? `[${reached}]` : reached}:${listener.port}`;
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
      return files.close();
    },
    files,
  };
}

/** Runs until Ctrl-C or the end of `--for`. RangeError for wrong options; a taken port is a rig error that names it. */
export async function serveIscsi(options: IscsiServeOptions): Promise<void> {
  for (const [name, value] of Object.entries({
    unix: options.unix,
    "tls-key": options.tlsKey,
    "tls-certificate": options.tlsCertificate,
    "tls-require": options.tlsRequire,
  }))
    if (value !== undefined)
      throw new RangeError(`--${name} is for NBD; iSCSI goes over TCP and asks by CHAP`);
  const served = await openIscsiTarget(options, options.coverage === true);
  const { portal, urls } = served;
  talk(
    `drydock: ${urls.length} SCSI disk of ${served.files.sizeLine}, seed ${options.seed}; Ctrl-C ends it, ${served.files.whatStays}`,
  );
  for (const note of served.files.notes) talk(`  ${note}`);
  for (const url of urls) talk(`  ${url}`);
  const asks = options.chapUser === undefined ? "" : `${options.chapUser}%25SECRET@`;
  const portalName = portal.slice("iscsi://".length);
  talk(`  try  iscsi-ls -s iscsi://${asks}${portalName}`);
  talk(`       iscsiadm -m discovery -t sendtargets -p ${portalName}`);
  talk(`       iscsiadm -m node -T ${served.name} -p ${portalName} --login`);
  if (!isLoopback(options.host))
    talk(
      `drydock: warning: everybody who reaches ${portalName} can ${options.chapUser === undefined ? "read and write" : "read what passes: CHAP asks who they are, nothing is encrypted"}`,
    );
  if (options.json === true)
    process.stdout.write(`${JSON.stringify({ port: served.port, target: served.name, portal, urls })}\n`);
  let code: number = exitCodes.pass;
  await new Promise<void>((resolve) => {
    endings(options.for, (how) => {
      code = exitCodes[how];
      resolve();
    });
  });
  if (served.coverage !== null) process.stdout.write(formatCoverage(served.coverage.report()));
  process.exitCode = (await served.close()) ? code : exitCodes.rigError;
}
