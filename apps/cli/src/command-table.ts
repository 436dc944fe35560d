// The table of commands, in the order of help; help, completion and mistaken lines are made from it.

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
  drydock campaign run nvme            every access of a workload lost, late, wrong, doubled
  drydock soak nvme --hours 12         virtual hours of I/O; a failing schedule is shrunk
  drydock export usbip desk            our device models for a Linux kernel, over USB/IP
  drydock export usbredir desk         the same for any QEMU guest, as -device usb-redir
  drydock net up --tap drydock0        a network interface of our driver and model, as a TAP device
  drydock import usbip HOST 1-1        our drivers on a device of a USB/IP server`,
  groups: {
    board: "the board: serve it, take it out to files and back",
    export: "offer a rig's devices to foreign hosts",
    import: "bring up a device that is elsewhere",
    new: "make a project of your own",
    audio: "sound through the audio stack",
    net: "a network interface of ours for programs and virtual machines",
    campaign: "faults made from what a driver really did",
    disk: "a modelled disk: serve it, prove what its flushes are worth",
  },
  entries: [
    {
      words: ["start"],
      summary:
        "the board, and a serial rig on the real clock; with a rig's name, that rig alone; Ctrl-C ends it",
      form: async () => (await import("./commands/start.ts")).start,
    },
    {
      words: ["board", "serve"],
      summary: "the board on this machine, without a terminal; Ctrl-C ends it",
      form: async () => (await import("./commands/board-serve.ts")).boardServe,
    },
    {
      words: ["board", "owner-link"],
      summary: "a link that makes its bearer the owner of a board for many, once",
      form: async () => (await import("./commands/board-owner-link.ts")).boardOwnerLink,
    },
    {
      words: ["board", "export"],
      summary: "every post as a folder of text files: diffable, and the same bytes back",
      form: async () => (await import("./commands/board-export.ts")).boardExport,
    },
    {
      words: ["board", "import"],
      summary: "folders of posts into the board; what people changed here stays",
      form: async () => (await import("./commands/board-import.ts")).boardImport,
    },
    {
      words: ["board", "backup"],
      summary: "the whole board as one file, also while it runs",
      form: async () => (await import("./commands/board-backup.ts")).boardBackup,
    },
    {
      words: ["board", "restore"],
      summary: "a backup in the board's place; the board that was there is kept beside it",
      form: async () => (await import("./commands/board-restore.ts")).boardRestore,
    },
    {
      words: ["board", "publish"],
      summary: "the whole board read-only as static files; its cases run without a server",
      form: async () => (await import("./commands/board-publish.ts")).boardPublish,
    },
    {
      words: ["export", "usbip"],
      summary: "over USB/IP, for a Linux machine or guest; Ctrl-C ends it",
      form: async () => (await import("./commands/export-usbip.ts")).exportUsbip,
    },
    {
      words: ["export", "usbredir"],
      summary:
        "over usbredir, for any QEMU guest, one TCP port each; prints QEMU's arguments; Ctrl-C ends it",
      form: async () => (await import("./commands/export-usbredir.ts")).exportUsbredir,
    },
    {
      words: ["import", "usbip"],
      summary:
        "our drivers on a device of a USB/IP server: serial ports, input, disks; without a busid, list",
      form: async () => (await import("./commands/import-usbip.ts")).importUsbip,
    },
    {
      words: ["audio", "play"],
      summary: "a WAV file, or ramps that show every slip, through server, ring, driver and hardware",
      form: async () => (await import("./commands/audio-play.ts")).audioPlay,
    },
    {
      words: ["audio", "record"],
      summary: "what a headset's microphone hears, a WAV file or ramps, as an application records it",
      form: async () => (await import("./commands/audio-record.ts")).audioRecord,
    },
    {
      words: ["disk", "serve"],
      summary: "over NBD or iSCSI, for any client or kernel; in memory unless --file; Ctrl-C ends it",
      form: async () => (await import("./commands/disk-serve.ts")).diskServe,
    },
    {
      words: ["disk", "coverage"],
      summary: "which SCSI commands and pages a client uses, and which of the disk's it never asks for",
      form: async () => (await import("./commands/disk-coverage.ts")).diskCoverage,
    },
    {
      words: ["disk", "prove"],
      summary: "cut the power at every step of a journalled workload: is every acknowledged flush there?",
      form: async () => (await import("./commands/disk-prove.ts")).diskProve,
    },
    {
      words: ["disk", "fuzz"],
      summary: "the storage drivers against a disk whose answers are wrong on purpose, over three transports",
      form: async () => (await import("./commands/disk-fuzz.ts")).diskFuzz,
    },
    {
      words: ["disk", "rehearse"],
      summary: "sleep and wake a slow disk: what each transition cost, and whether a Mac would have panicked",
      form: async () => (await import("./commands/disk-rehearse.ts")).diskRehearse,
    },
    {
      words: ["explore"],
      summary: "pull the cable at every step of a rig's scenario: does anything panic, hang, leak?",
      form: async () => (await import("./commands/explore.ts")).exploreCommand,
    },
    {
      words: ["campaign", "run"],
      summary: "a rig's workload recorded once, and each access of it lost, late, wrong and doubled in turn",
      form: async () => (await import("./commands/campaign-run.ts")).campaignRun,
    },
    {
      words: ["campaign", "submit"],
      summary: "a campaign into a queue, for any number of workers and machines",
      form: async () => (await import("./commands/campaign-submit.ts")).campaignSubmit,
    },
    {
      words: ["campaign", "work"],
      summary: "make the runs of the campaigns in a queue; Ctrl-C ends it in good order",
      form: async () => (await import("./commands/campaign-work.ts")).campaignWork,
    },
    {
      words: ["campaign", "status"],
      summary: "how far the campaigns of a queue are",
      form: async () => (await import("./commands/campaign-status.ts")).campaignStatusCommand,
    },
    {
      words: ["campaign", "report"],
      summary: "what a campaign came to: the same bytes for any number of workers",
      form: async () => (await import("./commands/campaign-report.ts")).campaignReportCommand,
    },
    {
      words: ["soak"],
      summary: "virtual hours of work with plug cycles: what fails, and the shortest schedule that shows it",
      form: async () => (await import("./commands/soak.ts")).soakCommand,
    },
    {
      words: ["new", "device"],
      summary: "a model of a recorded device: a file of yours, with every inferred answer listed",
      form: async () => (await import("./commands/new-device.ts")).newDevice,
    },
    {
      words: ["new", "driver"],
      summary: "make a project: device model, driver, rig file, tests, CI; it needs nothing but Node",
      form: async () => (await import("./commands/new-driver.ts")).newDriver,
    },
    {
      words: ["devices"],
      summary: "what can be reached over each path; a USB/IP server is asked too",
      form: async () => (await import("./commands/devices.ts")).devices,
    },
    {
      words: ["rigs"],
      summary: "list the rigs and what is in them",
      form: async () => (await import("./commands/rigs.ts")).rigs,
    },
    {
      words: ["dext", "build"],
      summary: "a driver extension's C++ as WebAssembly: from an Xcode project, a folder, or files",
      form: async () => (await import("./commands/dext-build.ts")).dextBuild,
    },
    {
      words: ["dext", "run"],
      summary: "start a C++ dext, unmodified, against device models: its log, its faults with file and line",
      form: async () => (await import("./commands/dext-run.ts")).dextRun,
    },
    {
      words: ["dext", "test"],
      summary: "every call that can fail failing once, the cable pulled at every step: crashes, hangs, leaks",
      form: async () => (await import("./commands/dext-test.ts")).dextTest,
    },
    {
      words: ["dext", "fuzz"],
      summary:
        "a C++ dext fed with calls and with its device's answers, guided by what ran; faults shrunk to a line",
      form: async () => (await import("./commands/dext-fuzz.ts")).dextFuzz,
    },
    {
      words: ["dext", "toolchain"],
      summary: "which compiler makes WebAssembly of C++ here, or what to install",
      form: async () => (await import("./commands/dext-toolchain.ts")).dextToolchain,
    },
    {
      words: ["lab"],
      summary: "what the lab's page does, act by act: unplug, step, back, compare; the same digest",
      form: async () => (await import("./commands/lab.ts")).lab,
    },
    {
      words: ["net", "up"],
      summary:
        "an adapter's interface for this machine (TAP) or a virtual one; its cable to passt or another",
      form: async () => (await import("./commands/net-up.ts")).netUp,
    },
    {
      words: ["registry"],
      summary: "a rig's registry after two virtual seconds, or a dump's; --against another: what changed",
      form: async () => (await import("./commands/registry.ts")).registry,
    },
    {
      words: ["case"],
      summary: "run a pair of drivers, wrong and right, and show where they part",
      form: async () => (await import("./commands/case.ts")).caseCommand,
    },
    {
      words: ["trace"],
      summary: "print a USB capture of Linux, macOS, USBPcap or an analyser as text",
      form: async () => (await import("./commands/trace.ts")).trace,
    },
    {
      words: ["diagnose"],
      summary:
        "a folder of logs, crash reports, dumps, plists, captures, driver source: cause, evidence, fix, who must act",
      form: async () => (await import("./commands/diagnose.ts")).diagnose,
    },
    {
      words: ["check"],
      summary:
        "an app or driver extension (folder, zip, tar.gz): build, install, launch, attach, open; imports; platforms",
      form: async () => (await import("./commands/check.ts")).check,
    },
    {
      words: ["match"],
      summary:
        "which driver binds to a device (rig, dump, capture, descriptors), and why each of the others does not",
      form: async () => (await import("./commands/match.ts")).match,
    },
    {
      words: ["policy"],
      summary:
        "USB rules against a recorded bus or a rig: each decision, who could enforce it, what got through",
      form: async () => (await import("./commands/policy.ts")).policy,
    },
    {
      words: ["explain"],
      summary:
        "a code in any form, a domain with its number, an entitlement, a state, a rule, a sentence of the system",
      form: async () => (await import("./commands/explain.ts")).explain,
    },
    {
      words: ["redact"],
      summary: "evidence without names, team ids, serial numbers and addresses, to give to others",
      form: async () => (await import("./commands/redact.ts")).redact,
    },
    {
      words: ["check-transport"],
      summary: "run a port's contract list against a transport",
      form: async () => (await import("./commands/check-transport.ts")).checkTransport,
    },
    {
      words: ["mcp"],
      summary:
        "these answers for programs that speak the Model Context Protocol; it reads, and writes nothing",
      form: async () => (await import("./commands/mcp.ts")).mcpOf(() => commandTable),
    },
    {
      words: ["completion"],
      summary: "print a completion script for bash, zsh or fish",
      form: async () => (await import("./commands/completion.ts")).completionOf(() => commandTable),
    },
  ],
};
