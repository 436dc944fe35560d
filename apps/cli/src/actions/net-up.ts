// drydock net up: an interface joined to TAP or a virtual machine, its cable to passt or another.

import { shown } from "@drydock/core/base/shown-text";
import { formatMac } from "@drydock/core/codec/ethernet/ethernet";
import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { InterfaceOutlet } from "@drydock/core/outlets/ethernet/interface-outlet";
import { StreamNetdev } from "@drydock/core/outlets/ethernet/stream-netdev";
import { adapterSupport } from "@drydock/core/platform/platform-families";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { EthernetPort, FrameTaker } from "@drydock/core/ports/ethernet";
import { type BuiltRig, findRig, type RigEntry } from "@drydock/core/rigs/catalogue";
import { writeEthernetPcapng } from "@drydock/core/trace/ethernet-trace";
import { DgramNetdev } from "@drydock/node/dgram-netdev";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { type Passt, passtAddress, passtRouter, startPasst } from "@drydock/node/passt";
import { type Listener, listen } from "@drydock/node/socket-stream";
import { openTap, type Tap } from "@drydock/node/tap";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { endings } from "./endings.ts";
import { recordingFor, recordingsOf, saveRecordings } from "./recording-files.ts";

interface NetUpOptions {
  readonly rig?: RigEntry;
  readonly stack: "auto" | "tap" | "qemu";
  readonly tap?: string;
  readonly cable: "auto" | "passt" | "qemu" | "qemu-dgram" | "echo";
  readonly cableSocket?: string;
  readonly lan: boolean;
  readonly platform: string;
  readonly seed: number;
  readonly fault: readonly UsbFaultRule[];
  readonly pcap?: OutputFile;
  readonly perfetto?: OutputFile;
  readonly for?: number;
  readonly json: boolean;
}

/** How long the interface may take to appear, of the machine's time. */
const appearNs = 10e9;
/** Kinds of adapters by rig, as the platform matrix names them. */
const adapterOfRig: Readonly<Record<string, string>> = {
  ethernet: "ax88772c",
  ncm: "cdc-ncm",
  ecm: "cdc-ecm",
};

/** What was made on the way, taken away in the other order at every end. */
class Undoing {
  readonly #steps: (() => void | Promise<void>)[] = [];
  add(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }
  async all(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step();
  }
}

export async function netUp(options: NetUpOptions, io: CommandIo): Promise<ExitCode> {
  const entry = options.rig ?? (findRig("ethernet") as RigEntry);
  const { name } = entry;
  const rig = entry.build({
    seed: options.seed,
    turn: hostTurn,
    platform: options.platform,
    pacing: "none",
    ...(options.fault.length > 0 ? { faults: { rules: options.fault } } : {}),
    trace: recordingFor(options).trace,
    timelineBytes: 256 << 20,
  });
  const undoing = new Undoing();
  const { scheduler } = rig.machine;
  const runner = new LiveRunner(scheduler);
  let code: ExitCode = exitCodes.pass;
  let end = (): void => {};
  const hasEnded = new Promise<void>((resolve) => {
    end = resolve;
  });
  const ending = endings(options.for, (how) => {
    code = exitCodes[how];
    end();
  });
  try {
    await scheduler.run(appearNs, () => (rig.interfaces?.length ?? 0) > 0);
    const [port] = rig.interfaces ?? [];
    if (port === undefined) {
      for (const line of whyNoInterface(rig, name, options.platform)) io.say(`drydock: ${line}`);
      return exitCodes.rigError;
    }
    const running = runner.start();
    undoing.add(async () => {
      await runner.stop();
      await running;
    });
    const fail = (why: string): void => {
      io.say(`drydock: ${why}`);
      code = exitCodes.rigError;
      end();
    };
    const facts = {
      rig: name,
      interface: port.name,
      address: formatMac(port.macAddress),
      cable: await joinCable(rig, options, undoing, io, fail),
      stack: await joinStack(port, options, undoing, io, scheduler, fail),
    };
    if (options.json) io.document(facts, "line");
    io.say(
      `drydock: ${port.name} (${facts.address}) is up; Ctrl-C ends, and everything that was made is taken away`,
    );
    await hasEnded;
    const { lostFrames, receivedFrames, sentFrames } = port.counts;
    io.say(`drydock: ${sentFrames} frames went out, ${receivedFrames} came in, ${lostFrames} were lost`);
  } catch (error) {
    io.say(`drydock: ${shown(error instanceof Error ? error.message : String(error))}`);
    code = exitCodes.rigError;
  } finally {
    ending.disarm();
    await undoing.all();
  }
  writeFrames(rig, options, io);
  return code;
}

function writeFrames(rig: BuiltRig, { pcap, perfetto }: NetUpOptions, io: CommandIo): void {
  if (pcap !== undefined) {
    const { bytes, rows } = writeEthernetPcapng(rig.timeline);
    pcap.write(bytes);
    io.say(`drydock: ${rows} frames written to ${shown(pcap.path)}`);
  }
  const recorded = { timeline: rig.timeline, trace: null };
  saveRecordings(recordingsOf(recorded, { pcap: false, perfetto: perfetto !== undefined }), { perfetto }, io);
}

/** The machine's own words, and what is known of such adapters on that system. */
function whyNoInterface(rig: BuiltRig, name: string, platform: string): readonly string[] {
  const profile = platformProfile(platform);
  const outcomes = rig.machine.matchReports
    .filter(({ candidate, outcome }) => candidate.verdict.matches && outcome !== "started")
    .map(({ outcome }) => outcome);
  const entry = adapterSupport(adapterOfRig[name] ?? name, profile);
  const support =
    entry === null
      ? "nothing is known of this adapter there"
      : `such an adapter there: ${entry.support} (${entry.mark}, as of ${entry.asOf}; ${entry.source})`;
  const failures = [...new Set([...rig.failures(), ...outcomes])];
  return [
    `no interface came up on ${profile.name}: ${failures[0] ?? "no driver matches the adapter"}`,
    support,
    ...(profile.driverKit ? [] : ["drydock net up ncm is an adapter that works there without a driver"]),
  ];
}

/** Where the adapter's cable leads. Answers it in words. */
async function joinCable(
  rig: BuiltRig,
  options: NetUpOptions,
  undoing: Undoing,
  io: CommandIo,
  fail: (why: string) => void,
): Promise<string> {
  const [cable] = rig.cables ?? [];
  const { scheduler } = rig.machine;
  if (cable === undefined || options.cable === "echo") {
    io.say("  cable: leads to a station that sends every frame back");
    return "echo";
  }
  if (options.cable === "qemu-dgram") {
    const netdev = await DgramNetdev.open({ to: cable.into, steps: scheduler });
    cable.connect(netdev);
    undoing.add(() => netdev.close());
    const { peerPort, port } = netdev;
    const ends = `remote.type=inet,remote.host=127.0.0.1,remote.port=${port},local.type=inet,local.host=127.0.0.1,local.port=${peerPort}`;
    const line = `-netdev dgram,id=cable,${ends} -device virtio-net-pci,netdev=cable`;
    io.say(`  cable: start a virtual machine with: qemu-system-x86_64 ... ${line}`);
    return line;
  }
  if (options.cable !== "qemu") {
    try {
      const passt: Passt = await startPasst({ steps: scheduler, lan: options.lan, onExit: fail });
      const netdev = new StreamNetdev({ clock: scheduler, to: cable.into });
      netdev.accept(passt.stream);
      cable.connect(netdev);
      undoing.add(() => {
        netdev.close();
        return passt.stop();
      });
      const reach = options.lan ? "this machine and others" : "this machine alone (--lan: others, too)";
      io.say(
        `  cable: leads to passt, which reaches ${reach}; station ${passtAddress}/24, router ${passtRouter}`,
      );
      return "passt";
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (options.cable === "passt") throw error;
      io.say(`  cable: no passt: ${shown(why)}`);
    }
  }
  const { line } = await qemuEnd(
    cable.into,
    (far) => cable.connect(far),
    "cable",
    options,
    undoing,
    io,
    scheduler,
  );
  return line;
}

/** Who uses the interface. Answers it in words. */
async function joinStack(
  port: EthernetPort,
  options: NetUpOptions,
  undoing: Undoing,
  io: CommandIo,
  scheduler: BuiltRig["machine"]["scheduler"],
  fail: (why: string) => void,
): Promise<string> {
  const gone = (): void => fail("the interface has gone: the adapter was pulled, or its driver stopped");
  if (options.stack !== "qemu") {
    try {
      let outlet: InterfaceOutlet | null = null;
      const tap: Tap = openTap({
        ...(options.tap === undefined ? {} : { name: options.tap }),
        macAddress: port.macAddress,
        to: { frame: (bytes, offset, length) => outlet?.frame(bytes, offset, length) },
        steps: scheduler,
      });
      undoing.add(() => tap.close());
      outlet = new InterfaceOutlet(port, { to: tap, onGone: gone });
      io.say(
        `  stack: this machine, by ${tap.name}: ip addr add 10.90.0.2/24 dev ${tap.name}; ip link set ${tap.name} up`,
      );
      return tap.name;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (options.stack === "tap") throw error;
      io.say(`  stack: no TAP device: ${shown(why)}`);
    }
  }
  let outlet: InterfaceOutlet | null = null;
  const into: FrameTaker = { frame: (bytes, offset, length) => outlet?.frame(bytes, offset, length) };
  const { line } = await qemuEnd(
    into,
    (far) => {
      outlet = new InterfaceOutlet(port, { to: far, onGone: gone });
    },
    "stack",
    options,
    undoing,
    io,
    scheduler,
  );
  return line;
}

/** A socket that a virtual machine's network card comes to, and what to type for it. */
async function qemuEnd(
  into: FrameTaker,
  join: (far: FrameTaker) => void,
  which: "cable" | "stack",
  { cableSocket }: NetUpOptions,
  undoing: Undoing,
  io: CommandIo,
  scheduler: BuiltRig["machine"]["scheduler"],
): Promise<{ readonly line: string }> {
  const netdev = new StreamNetdev({
    clock: scheduler,
    to: into,
    onConnection: (ended) =>
      io.say(`drydock: ${which}: ${ended === null ? "a virtual machine came" : `it went: ${shown(ended)}`}`),
  });
  join(netdev);
  const place = which === "cable" && cableSocket !== undefined ? { path: cableSocket } : { port: 0 };
  const listener: Listener = await listen({ ...place, steps: scheduler }, (stream) => netdev.accept(stream));
  undoing.add(async () => {
    netdev.close();
    await listener.close();
  });
  const address =
    "path" in place
      ? `addr.type=unix,addr.path=${place.path}`
      : `addr.type=inet,addr.host=127.0.0.1,addr.port=${listener.port}`;
  const line = `-netdev stream,id=${which},server=off,${address} -device virtio-net-pci,netdev=${which}`;
  io.say(`  ${which}: start a virtual machine with: qemu-system-x86_64 ... ${line}`);
  return { line };
}
