// The table of commands: a row each, in the order of help. Help, completion and mistaken lines are made from it.

import { boardBackup } from "./commands/board-backup.ts";
import { boardExport } from "./commands/board-export.ts";
import { boardImport } from "./commands/board-import.ts";
import { boardPublish } from "./commands/board-publish.ts";
import { boardRestore } from "./commands/board-restore.ts";
import { boardServe } from "./commands/board-serve.ts";
import { caseCommand } from "./commands/case.ts";
import { check } from "./commands/check.ts";
import { checkTransport } from "./commands/check-transport.ts";
import { completionOf } from "./commands/completion.ts";
import { devices } from "./commands/devices.ts";
import { diagnose } from "./commands/diagnose.ts";
import { diskCoverage } from "./commands/disk-coverage.ts";
import { diskFuzz } from "./commands/disk-fuzz.ts";
import { diskProve } from "./commands/disk-prove.ts";
import { diskRehearse } from "./commands/disk-rehearse.ts";
import { diskServe } from "./commands/disk-serve.ts";
import { explain } from "./commands/explain.ts";
import { exploreCommand } from "./commands/explore.ts";
import { exportUsbip } from "./commands/export-usbip.ts";
import { exportUsbredir } from "./commands/export-usbredir.ts";
import { importUsbip } from "./commands/import-usbip.ts";
import { newDriver } from "./commands/new-driver.ts";
import { policy } from "./commands/policy.ts";
import { redact } from "./commands/redact.ts";
import { registry } from "./commands/registry.ts";
import { rigs } from "./commands/rigs.ts";
import { soakCommand } from "./commands/soak.ts";
import { start } from "./commands/start.ts";
import { trace } from "./commands/trace.ts";
import type { CommandTable } from "./grammar/command-row.ts";
import { drydockVersion } from "./terminal/version.ts";

export const commandTable: CommandTable = {
  name: "drydock",
  version: drydockVersion,
  summary: "A dry dock for device drivers: run, break, trace and diagnose drivers without the hardware.",
  examples: `Examples:
  drydock start                        the board in the browser, and a serial port on this desk
  drydock start --device cdc-acm       the same with a CDC-ACM modem
  drydock board export FOLDER          every post of the board as a folder of text files
  drydock case P02                     a real driver problem: wrong and right driver side by side
  drydock registry --seed 7            the registry after the default rig came up
  drydock trace capture.pcapng         a USB capture as text
  drydock diagnose FOLDER              what a folder of logs, crashes, dumps and captures says
  drydock check My.app --min-os 15.0   what signature, profile and imports mean, stage by stage
  drydock check-transport sim          a transport's contract, check by check
  drydock disk serve --size 10G        a disk behind SCSI, UAS, bus and drivers, for any NBD client
  drydock explore nvme                 the cable pulled at every step of a scenario
  drydock soak nvme --hours 12         virtual hours of I/O; a failing schedule is shrunk
  drydock export usbip desk            our device models for a Linux kernel, over USB/IP
  drydock export usbredir desk         the same for any QEMU guest, as -device usb-redir
  drydock import usbip HOST 1-1        our drivers on a device of a USB/IP server`,
  groups: {
    board: "the board: serve it, take it out to files and back",
    export: "offer a rig's devices to foreign hosts",
    import: "bring up a device that is elsewhere",
    new: "make a project of your own",
    disk: "a modelled disk: serve it, prove what its flushes are worth",
  },
  rows: [
    start,
    boardServe,
    boardExport,
    boardImport,
    boardBackup,
    boardRestore,
    boardPublish,
    exportUsbip,
    exportUsbredir,
    importUsbip,
    diskServe,
    diskCoverage,
    diskProve,
    diskFuzz,
    diskRehearse,
    exploreCommand,
    soakCommand,
    newDriver,
    devices,
    rigs,
    registry,
    caseCommand,
    trace,
    diagnose,
    check,
    policy,
    explain,
    redact,
    checkTransport,
    completionOf(() => commandTable),
  ],
};
