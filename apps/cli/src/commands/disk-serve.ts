// drydock disk serve: a modelled disk over NBD or iSCSI.

import { command, flag, many, option, optionOr } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { byteSize, choice, tcpPort, text } from "../grammar/option-kind.ts";
import { socketPath } from "../grammar/output-paths.ts";
import {
  faultOption,
  forOption,
  hostOption,
  pcapOption,
  perfettoOption,
  seedOption,
} from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { diskImage } from "./disk-image.ts";
import { diskQuirkOptions } from "./disk-quirk-options.ts";
import { blockBytes, layers } from "./disk-words.ts";

/** Names of exports: NBD's limit of a string. */
const longestExportName = 4096;
/** Logical units behind one bridge (BOT, bMaxLUN 15), and of a target with one-byte numbers (SAM-5 §4.7.7). */
const mostBehindBridge = 16;
const mostUnits = 256;

const userName = text({
  placeholder: "name",
  takes: "a name of at most 255 bytes",
  sample: "dock",
  mostBytes: 255,
});
const iscsiName = text({
  placeholder: "name",
  takes: "an iSCSI name, as iqn.2026-01.org.example:disk",
  sample: "iqn.2026-01.org.example:disk",
  mostBytes: 223,
  wrong: ["disk", "iqn.2026-13.org.example", "IQN 1"],
  check: (word) =>
    /^(iqn\.\d{4}-(0[1-9]|1[0-2])\.[a-z0-9.:-]+|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16}([0-9A-Fa-f]{16})?)$/.test(
      word,
    )
      ? null
      : "takes an iSCSI name, as iqn.2026-01.org.example:disk",
});
const pem = (kind: "CERTIFICATE" | "PRIVATE KEY") =>
  inputFile({
    takes: kind === "CERTIFICATE" ? "a certificate in PEM" : "a private key in PEM",
    content: `-----BEGIN ${kind}-----\n-----END ${kind}-----\n`,
    check: (bytes) => {
      if (!new RegExp(`^-----BEGIN (?:[A-Z ]* )?${kind}-----`, "m").test(bytes().toString("latin1")))
        throw new UsageError(
          `needs a file in PEM with "-----BEGIN ${kind === "CERTIFICATE" ? "" : "... "}${kind}-----", which this is not`,
        );
    },
  });
const secretFile = inputFile({
  takes: "a file with the secret in its first line, 12 bytes or more",
  content: "a-secret-long-enough\n",
});

const nbdOnly = { clashes: ["iscsi"] };
const iscsiOnly = { needs: ["iscsi"] };

export const diskServe = command({
  arguments: {},
  options: {
    host: { ...hostOption, clashes: ["unix"] },
    port: option(tcpPort, "TCP port, 0 for a free one; without it 10809, with --iscsi 3260", {
      clashes: ["unix"],
    }),
    iscsi: flag("a SCSI disk over iSCSI in place of NBD; each --name is one more logical unit"),
    target: option(iscsiName, "iSCSI: the target's name", iscsiOnly),
    chapUser: option(userName, "iSCSI: initiators must prove that they know DRYDOCK_CHAP_SECRET", iscsiOnly),
    chapSecretFile: option(secretFile, "iSCSI: the secret from a file in place of the environment", {
      needs: ["iscsi", "chapUser"],
    }),
    chapMutualUser: option(userName, "iSCSI: and we prove that we know DRYDOCK_CHAP_MUTUAL_SECRET", {
      needs: ["iscsi", "chapUser"],
    }),
    chapMutualSecretFile: option(secretFile, "iSCSI: that secret from a file", {
      needs: ["iscsi", "chapMutualUser"],
    }),
    coverage: flag("iSCSI: at the end, print which SCSI commands and pages were used", iscsiOnly),
    unix: option(socketPath, "a Unix socket instead of a TCP port", nbdOnly),
    size: option(
      byteSize({ from: 512 }),
      "what the disk holds; without it 1G, or what a file that is there has",
    ),
    block: optionOr(blockBytes, 512, "bytes in a logical block"),
    name: many(
      text({
        placeholder: "export",
        takes: `a name of at most ${longestExportName} bytes`,
        sample: "disk",
        mostBytes: longestExportName,
      }),
      "name of the export, one disk each; without one, disk",
    ),
    file: many(diskImage, "keep the disk in a file, made sparse when new (one for each --name)"),
    part: flag("show only the beginning of a file that is larger", { needs: ["file", "size"] }),
    unguarded: flag("serve a file that another program has open, too", { needs: ["file"] }),
    through: optionOr(
      choice(layers, "way"),
      "uas",
      "uas, bulk-only: SCSI disk, bridge, bus and drivers; none: memory alone",
      nbdOnly,
    ),
    readOnly: flag("refuse what would change it"),
    ...diskQuirkOptions(),
    tlsCertificate: option(pem("CERTIFICATE"), "with it, clients may encrypt", {
      needs: ["tlsKey"],
      clashes: ["iscsi"],
    }),
    tlsKey: option(pem("PRIVATE KEY"), "the certificate's key", {
      needs: ["tlsCertificate"],
      clashes: ["iscsi"],
    }),
    tlsRequire: flag("clients must encrypt", { needs: ["tlsCertificate", "tlsKey"], clashes: ["iscsi"] }),
    seed: seedOption,
    fault: { ...faultOption, ...nbdOnly },
    pcap: { ...pcapOption, ...nbdOnly },
    perfetto: { ...perfettoOption, ...nbdOnly },
    for: forOption,
    json: flag("the first line on stdout is one JSON document with the addresses"),
  },
  example:
    "drydock disk serve --size 10G\nnbdinfo nbd://127.0.0.1/disk\n\nDRYDOCK_CHAP_SECRET=... drydock disk serve --iscsi --chap-user dock\niscsi-ls -s iscsi://dock%25...@127.0.0.1",
  judge: (options) => {
    const { name, file, through, iscsi, quirk, badBlocks } = options;
    const disks = Math.max(1, name.length);
    if (new Set(name).size < name.length) throw new UsageError("--name: two disks cannot have one name");
    const isBridge = !iscsi && through !== "none";
    const most = isBridge ? mostBehindBridge : mostUnits;
    if (disks > most)
      throw new UsageError(
        `--name is given ${disks} times: at most ${most} disks fit ${isBridge ? "behind one bridge" : "here"}`,
      );
    if (iscsi) judgeSecrets(options);
    if (
      through === "none" &&
      (options.fault.length > 0 || options.pcap !== undefined || options.perfetto !== undefined)
    )
      throw new UsageError("--fault, --pcap and --perfetto are about the bus: --through uas or bulk-only");
    if (quirk.length + badBlocks.length > 0 && !iscsi && through === "none")
      throw new UsageError(
        "--quirk and --bad-blocks need a SCSI disk: --through uas or bulk-only, or --iscsi",
      );
    if (file.length > 0 && !iscsi && through === "none")
      throw new UsageError("--file needs a SCSI disk: --through uas or bulk-only, or --iscsi");
    if (file.length > 0 && file.length !== disks)
      throw new UsageError(`${disks} disks and ${file.length} files: give one --file for each --name`);
  },
  run: async (options, io) =>
    options.iscsi
      ? (await import("../actions/disk-iscsi.ts")).serveIscsi(options, io)
      : (await import("../actions/disk.ts")).serveDisk(options, io),
});

/** A secret that nobody is asked for keeps nobody out: that is no way to begin. */
function judgeSecrets(options: { readonly chapUser?: string; readonly chapMutualUser?: string }): void {
  for (const [variable, option, user] of [
    ["DRYDOCK_CHAP_SECRET", "--chap-user", options.chapUser],
    ["DRYDOCK_CHAP_MUTUAL_SECRET", "--chap-mutual-user", options.chapMutualUser],
  ] as const)
    if (process.env[variable] !== undefined && process.env[variable] !== "" && user === undefined)
      throw new UsageError(
        `${variable} is set, but without ${option} nobody is asked for it; give ${option}, or unset the variable`,
      );
}
