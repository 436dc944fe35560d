// The drydock command: reads the arguments and loads the one command that was asked for.

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { drydockVersion } from "./version.ts";

const examples = `
Examples:
  drydock start                        a serial port on this desk, brought up by driver, bus and device model
  drydock start --device cdc-acm       the same with a CDC-ACM modem
  drydock case P02                     a real driver problem: wrong and right driver side by side
  drydock registry --seed 7            the registry after the default rig came up
  drydock trace capture.pcapng         a USB capture as text
  drydock diagnose FOLDER              what a folder of logs, crashes, dumps and captures says
  drydock check My.app --min-os 15.0   what signature, profile and imports mean, stage by stage
  drydock check-transport sim          a transport's contract, check by check
  drydock disk serve --size 10G        a disk behind SCSI, UAS, bus and drivers, for any NBD client
  drydock export usbip desk            our device models for a Linux kernel, over USB/IP
  drydock export usbredir desk         the same for any QEMU guest, as -device usb-redir
  drydock import usbip HOST 1-1        our drivers on a device of a USB/IP server

Exit codes: 0 pass, 1 finding or failed expectation, 2 usage, 3 rig error, 77 skipped, 130 interrupted.
`;

function seed(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("a seed is a whole number from 0 on.");
  return value;
}

function tcpPort(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535)
    throw new InvalidArgumentError("a TCP port is a number from 0 to 65535.");
  return value;
}

const collect = (value: string, all: string[]): string[] => [...all, value];

/** Options of every command that builds a rig. */
function rigOptions(command: Command): Command {
  return command
    .option("--seed <number>", "everything that chance decides follows from it", seed, 1)
    .option("--fault <rule>", "a USB fault, for example stall:ep=0x81,nth=3 (repeatable)", collect, [])
    .option("--pcap <file>", "write the USB traffic as pcapng")
    .option("--device <kind>", "ftdi, cdc-acm or ft4232h (repeatable)", collect, [])
    .option("--platform <id>", "macos15, macos26, ipados, iphone or open", "open");
}

function build(): Command {
  const program = new Command("drydock")
    .description(
      "A dry dock for device drivers: run, break, trace and diagnose drivers without the hardware.",
    )
    .version(drydockVersion, "-V, --version")
    .addHelpText("after", examples)
    .showHelpAfterError("(drydock --help shows examples)")
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });

  rigOptions(program.command("start [rig]"))
    .description("bring up a rig on the real clock; prints what to open; Ctrl-C ends it")
    .option("--link <path>", "a stable name for the terminal (default: drydock-tty0 in the temporary folder)")
    .option("--no-pacing", "neither the line nor the bus takes time")
    .option("--for <seconds>", "end by itself after so long", Number)
    .option("--json", "the first line on stdout is one JSON document with the ports")
    .addHelpText(
      "after",
      "\nExample:\n  drydock start --device cdc-acm --pcap modem.pcapng\n  then, elsewhere: picocom -b 115200 PATH\n  type u and Enter to pull the cable, p and Enter to plug it in again\n",
    )
    .action(async (rig: string | undefined, options) => (await import("./start.ts")).start(rig, options));

  const exports = program.command("export").description("offer a rig's devices to foreign hosts");
  rigOptions(exports.command("usbip [rig]"))
    .description("over USB/IP, for a Linux machine or guest; Ctrl-C ends it")
    .option("--host <address>", "where to listen; others than loopback expose the devices", "127.0.0.1")
    .option("--port <number>", "TCP port, 0 for a free one", tcpPort, 3240)
    .option("--no-pacing", "neither the line nor the bus takes time")
    .option("--for <seconds>", "end by itself after so long", Number)
    .option("--json", "the first line on stdout is one JSON document with port and busids")
    .addHelpText("after", "\nExample:\n  drydock export usbip desk --pcap linux.pcapng\n")
    .action(async (rig: string | undefined, options) =>
      (await import("./export.ts")).exportUsbip(rig, options),
    );
  rigOptions(exports.command("usbredir [rig]"))
    .description(
      "over usbredir, for any QEMU guest, one TCP port each; prints QEMU's arguments; Ctrl-C ends it",
    )
    .option("--host <address>", "where to listen; others than loopback expose the devices", "127.0.0.1")
    .option(
      "--port <number>",
      "TCP port of the first device, the others follow; 0 for free ones",
      tcpPort,
      4000,
    )
    .option("--no-pacing", "neither the line nor the bus takes time")
    .option("--for <seconds>", "end by itself after so long", Number)
    .option("--json", "the first line on stdout is one JSON document with ports and QEMU's arguments")
    .addHelpText(
      "after",
      "\nExample:\n  drydock export usbredir desk\n  qemu-system-x86_64 IMAGE -device qemu-xhci \\\n    -chardev socket,id=d,host=127.0.0.1,port=4000,nodelay=on -device usb-redir,chardev=d\n",
    )
    .action(async (rig: string | undefined, options) =>
      (await import("./export.ts")).exportUsbredir(rig, options),
    );

  const imports = program.command("import").description("bring up a device that is elsewhere");
  imports
    .command("usbip <server> [busid]")
    .description("from a USB/IP server (HOST or HOST:PORT); without a busid, list what it offers")
    .option("--seed <number>", "everything that chance decides follows from it", seed, 1)
    .option("--platform <id>", "macos15, macos26, ipados, iphone or open", "open")
    .option("--pcap <file>", "write the USB traffic as pcapng")
    .option("--link <path>", "a stable name for the terminal")
    .option("--for <seconds>", "end by itself after so long", Number)
    .option("--json", "list: one JSON document; import: the first line is one with the ports")
    .addHelpText(
      "after",
      "\nExample:\n  drydock import usbip 192.168.1.7\n  drydock import usbip 192.168.1.7 1-1.4\n",
    )
    .action(async (server: string, busId: string | undefined, options) =>
      (await import("./import.ts")).importUsbip(server, busId, options),
    );

  const disk = program
    .command("disk")
    .description("a modelled disk: serve it, prove what its flushes are worth");
  disk
    .command("serve")
    .description("over NBD or iSCSI, for any client or kernel; in memory unless --file; Ctrl-C ends it")
    .option("--host <address>", "where to listen; others than loopback expose the disk", "127.0.0.1")
    .option("--port <number>", "TCP port, 0 for a free one (default: 10809, with --iscsi 3260)", tcpPort)
    .option("--iscsi", "a SCSI disk over iSCSI in place of NBD; each --name is one more logical unit")
    .option("--target <name>", "iSCSI: the target's name, as iqn.2026-01.org.example:disk")
    .option("--chap-user <name>", "iSCSI: initiators must prove that they know DRYDOCK_CHAP_SECRET")
    .option("--chap-secret-file <file>", "iSCSI: the secret from a file in place of the environment")
    .option("--chap-mutual-user <name>", "iSCSI: and we prove that we know DRYDOCK_CHAP_MUTUAL_SECRET")
    .option("--chap-mutual-secret-file <file>", "iSCSI: that secret from a file")
    .option("--coverage", "iSCSI: at the end, print which SCSI commands and pages were used")
    .option("--unix <path>", "a Unix socket instead of a TCP port")
    .option("--size <bytes>", "for example 64M, 10G, 66T (default: 1G, or what a file that is there has)")
    .option("--block <bytes>", "bytes in a logical block", Number, 512)
    .option("--name <export>", "name of the export (repeatable: one disk each)", collect, [])
    .option(
      "--file <path>",
      "keep the disk in a file, made sparse when new (one for each --name)",
      collect,
      [],
    )
    .option("--part", "with --size: show only the beginning of a file that is larger")
    .option("--unguarded", "serve a file that another program has open, too")
    .option(
      "--through <way>",
      "uas, bulk-only: SCSI disk, bridge, bus and drivers; none: memory alone",
      "uas",
    )
    .option("--read-only", "refuse what would change it")
    .option("--tls-certificate <file>", "PEM; with --tls-key, clients may encrypt")
    .option("--tls-key <file>", "PEM")
    .option("--tls-require", "clients must encrypt")
    .option("--seed <number>", "everything that chance decides follows from it", seed, 1)
    .option("--for <seconds>", "end by itself after so long", Number)
    .option("--json", "the first line on stdout is one JSON document with the addresses")
    .addHelpText(
      "after",
      "\nExample:\n  drydock disk serve --size 10G\n  nbdinfo nbd://127.0.0.1/disk\n\n  DRYDOCK_CHAP_SECRET=... drydock disk serve --iscsi --chap-user dock\n  iscsi-ls -s iscsi://dock%25...@127.0.0.1\n",
    )
    .action(async (options) => {
      const whole = {
        ...options,
        name: options.name.length > 0 ? options.name : ["disk"],
        port: options.port ?? (options.iscsi === true ? 3260 : 10809),
      };
      if (options.iscsi === true) await (await import("./disk-iscsi.ts")).serveIscsi(whole);
      else if (options.target ?? options.chapUser ?? options.coverage)
        throw new RangeError("--target, --chap-user and --coverage belong to --iscsi");
      else await (await import("./disk.ts")).serveDisk(whole);
    });
  disk
    .command("coverage [command...]")
    .description("which SCSI commands and pages a client uses, and which of the disk's it never asks for")
    .option("--size <bytes>", "for example 64M, 10G, 66T", "64M")
    .option("--through <way>", "without a command, our class driver asks: through uas or bulk-only", "uas")
    .option("--seed <number>", "everything that chance decides follows from it", seed, 1)
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nThe command is given the disk's address in place of {url} (unit) or {portal} (iSCSI).\n\nExample:\n  drydock disk coverage\n  drydock disk coverage -- iscsi-inq {url}\n",
    )
    .action(async (command: string[], options) =>
      (await import("./disk-coverage.ts")).coverDisk(command, options),
    );
  disk
    .command("prove")
    .description("cut the power at every step of a journalled workload: is every acknowledged flush there?")
    .option("--through <way>", "uas, bulk-only, or none: memory alone", "uas")
    .option("--fault <name>", "short-mode-sense: what P19's driver does")
    .option("--cuts <number>", "power cuts, over as many seeds as it takes", Number, 1000)
    .option("--transactions <number>", "transactions of each run", Number, 8)
    .option("--seed <number>", "the first seed", seed, 1)
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExample:\n  drydock disk prove --fault short-mode-sense\n")
    .action(async (options) => (await import("./disk.ts")).proveDisk(options));
  disk
    .command("fuzz")
    .description(
      "the storage drivers against a disk whose answers are wrong on purpose, over three transports",
    )
    .option("--answers <number>", "answers to change", Number, 10_000)
    .option("--seed <number>", "the first life's; each life has its own", seed, 1)
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExample:\n  drydock disk fuzz --answers 100000\n")
    .action(async (options) => (await import("./disk-fuzz.ts")).fuzzDisk(options));
  disk
    .command("rehearse")
    .description(
      "sleep and wake a slow disk: what each transition cost, and whether a Mac would have panicked",
    )
    .option("--spin-up <seconds>", "what the spindle needs from standing still", Number, 25)
    .option(
      "--driver <name>",
      "kext: the class driver alone; dext-waits, dext-begins: P15's wrong and right one",
      "dext-waits",
    )
    .option("--evidence <folder>", "write the panic report there, for drydock diagnose")
    .option("--seed <number>", "of the schedule", seed, 1)
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExample:\n  drydock disk rehearse --spin-up 25 --driver dext-begins\n")
    .action(async (options) => (await import("./disk-rehearse.ts")).rehearseDisk(options));

  program
    .command("devices [server]")
    .description("what can be reached over each path; a USB/IP server (HOST or HOST:PORT) is asked too")
    .option("--json", "one JSON document")
    .action(async (server: string | undefined, options) =>
      (await import("./devices.ts")).devices(server, options),
    );

  program
    .command("rigs")
    .description("list the rigs and what is in them")
    .option("--json", "one JSON document")
    .action(async (options) => (await import("./rigs.ts")).listRigs(options));

  rigOptions(program.command("registry [rig]"))
    .description("run a rig for two virtual seconds and print its registry")
    .option("--why", "also every personality that was judged, and the comparison that decided")
    .option("--plist", "as `ioreg -a` prints it")
    .option("--json", "one JSON document")
    .action(async (rig: string | undefined, options) =>
      (await import("./registry.ts")).registry(rig, options),
    );

  program
    .command("case [id]")
    .description("run a pair of drivers, wrong and right, and show where they part")
    .option("--list", "list the cases")
    .option("--seed <number>", "the same for both", seed, 1)
    .option("--pcap <file>", "write both traces, as FILE with .bad and .good before its ending")
    .option("--width <columns>", "width of the comparison", Number)
    .option("--explore", "every way the case's device can behave, and where each ends (P08)")
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExample:\n  drydock case P02\n")
    .action(async (id: string | undefined, options) => (await import("./case.ts")).runCase(id, options));

  program
    .command("trace <file>")
    .description("print a USB capture (pcapng, link type 220) as text")
    .option("--control", "control transfers only")
    .option("--bytes <number>", "data bytes per line", Number, 16)
    .option("--json", "one JSON document")
    .action(async (file: string, options) => (await import("./trace.ts")).printTrace(file, options));

  program
    .command("diagnose <path...>")
    .description(
      "a folder of logs, crash reports, dumps, plists, captures, driver source: cause, evidence, fix, who must act",
    )
    .option("--json", "one JSON document, as packages/doctor/diagnosis.schema.json says")
    .option("--sarif", "SARIF 2.1.0, for code scanning services and editors")
    .option("--html", "one HTML file that needs nothing else")
    .option("--github", "annotations of a GitHub workflow")
    .option("--redact", "team ids, serial numbers and user names become words")
    .option("--all", "every answer in full, and what fits many causes")
    .option("--width <columns>", "columns of the report (default: the terminal's)", Number)
    .addHelpText("after", "\nExit code 1: something is known about it; 0: nothing is.\n")
    .action(async (paths: string[], options) =>
      (await import("./diagnose.ts")).diagnosePaths(paths, options),
    );

  program
    .command("check <path...>")
    .description(
      "an app or driver extension (folder, zip, tar.gz): build, install, launch, attach, open; imports; platforms",
    )
    .option(
      "--min-os <version>",
      "the oldest system that it promises, like 15.0; default: what its binary says",
    )
    .option(
      "--platform <id>",
      "macos15, macos26, ipados, iphone; default: all are listed, none must accept it",
    )
    .option("--tool <name>", "xcode compares claim and profile before it builds, codesign does not", "xcode")
    .option("--date <day>", "the day on which profiles must be valid (default: today)")
    .option("--udid <id>", "the provisioning UDID of the Mac it is to run on")
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  drydock check My.app\n  drydock check MyDriver.dext --min-os 15.0\n\nExit code 1: a stage fails, or an import is missing; 0: nothing is known to be wrong.\n",
    )
    .action(async (paths: string[], options) => (await import("./check.ts")).check(paths, options));

  program
    .command("policy <file>")
    .description(
      "USB rules against a recorded bus or a rig: each decision, who could enforce it, what got through",
    )
    .requiredOption(
      "--against <capture|rig>",
      "a capture (pcapng, link type 220), or serial, modem, quad, desk, disk",
    )
    .option("--on <system>", "linux, macos15, macos26 or ipados (repeatable; default: all)", collect, [])
    .option("--window <ms>", "from the choice of the configuration to a capture", Number, 5)
    .option("--seed <number>", "of the rig", seed, 1)
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nThe file is USBGuard's (usbguard-rules.conf); what that cannot say stands in comments: #: read-only DEVICE.\nExit code 1: something would get through, or some system cannot enforce a rule.\n\nExample:\n  drydock policy rules.conf --against capture.pcapng --on macos15\n",
    )
    .action(async (file: string, options) => (await import("./policy.ts")).policy(file, options));

  program
    .command("explain <word>")
    .description("a code (0xe00002e2), a rule of the doctor (DR20-1) or an entitlement")
    .action(async (word: string) => (await import("./explain.ts")).explain(word));

  program
    .command("check-transport [name]")
    .description("run a port's contract list against a transport")
    .option("--seed <number>", "seed of the run", seed, 1)
    .option("--json", "one JSON document")
    .action(async (name: string | undefined, options) =>
      (await import("./check-transport.ts")).checkTransport(name, options),
    );

  program
    .command("completion <shell>")
    .description("print a completion script for bash, zsh or fish")
    .addHelpText("after", '\nExample:\n  eval "$(drydock completion bash)"\n')
    .action(async (shell: string) => (await import("./completion.ts")).printCompletion(shell, program));

  return program;
}

/** A command either ends here with its exit code, or says in one line what is wrong. */
async function run(): Promise<void> {
  try {
    await build().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`drydock: ${message}\n`);
    process.exitCode = error instanceof RangeError ? exitCodes.usage : exitCodes.rigError;
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that went away (`drydock trace F | head`) is no error.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

await run();
