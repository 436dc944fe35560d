// Starts a QEMU whose processor never runs, to drive its devices over qtest: probing, the process, its end.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Socket } from "node:net";
import type { Clock } from "@drydock/core/base/clock";
import { QmpClient } from "@drydock/core/transports/qtest/qmp-client";
import { QtestClient } from "@drydock/core/transports/qtest/qtest-client";
import { QtestMachine } from "@drydock/core/transports/qtest/qtest-machine";
import type { RamArena } from "@drydock/core/transports/qtest/ram-arena";
import type { StepTaker } from "../host/ordered-steps.ts";
import { processCondition } from "../host/process-condition.ts";
import { SocketStream } from "../host/socket-stream.ts";
import type { SharedRam } from "./shared-ram.ts";

/**
 * Where a QEMU with the qtest accelerator may be: Debian's package qemu-system-xen has it built in, the stock binary has
 * not. DRYDOCK_QTEST_QEMU names another one.
 */
const candidates = ["/usr/libexec/xen-qemu-system-i386", "/usr/lib/xen/bin/qemu-system-i386"];

/** The stock QEMU of a desk: it has devices that Debian's other one lacks (usb-redir), and wants a firmware. */
const stockCandidates = ["/usr/bin/qemu-system-x86_64", "/usr/local/bin/qemu-system-x86_64"];

/** Path of the stock QEMU, or the sentence that says what is missing. */
export function findStockQemu(): { readonly path: string } | { readonly missing: string } {
  const path = stockCandidates.find((candidate) => existsSync(candidate));
  if (path !== undefined) return { path };
  return { missing: "no qemu-system-x86_64: install the Debian package qemu-system-x86" };
}

/** Firmware whose first instruction halts the processor for good: cli, hlt, and back to hlt. */
export function haltedFirmware(): Uint8Array {
  const bytes = new Uint8Array(0x10000).fill(0xf4);
  // The reset vector (Intel SDM volume 3, 9.1.4).
  bytes.set([0xfa, 0xf4, 0xeb, 0xfd], 0xfff0);
  return bytes;
}

/** Path of a QEMU that can be driven, or the sentence that says what is missing. */
export function findQtestQemu(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): { readonly path: string } | { readonly missing: string } {
  const named = environment.DRYDOCK_QTEST_QEMU;
  if (named !== undefined) {
    if (existsSync(named)) return { path: named };
    return { missing: `DRYDOCK_QTEST_QEMU names ${named}, which does not exist` };
  }
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path !== undefined) return { path };
  return { missing: "no QEMU with the qtest accelerator: install the Debian package qemu-system-xen" };
}

export interface QemuQtestOptions {
  readonly binary: string;
  /** Of the machine that drives it. */
  readonly clock: Clock;
  readonly steps: StepTaker;
  /** `-device`, `-drive` and the like; an edu device for interrupts is added. */
  readonly devices: readonly string[];
  readonly hasIommu?: boolean;
  /** QEMU's whole RAM; the name of its file is removed once QEMU has it open. Whoever made it closes it, last of all. */
  readonly ram: SharedRam;
  readonly arena: RamArena;
  /** `memory`: messages are looked for at every turn of the event loop while there is work, and each millisecond else. */
  readonly messages?: "doorbell" | "memory";
  /**
   * A firmware image for a processor that does run: for binaries without the qtest accelerator. QEMU's clock is then its
   * own. Left out, the processor never runs and the clock is ours.
   */
  readonly firmware?: string;
  /** Trace events into a file: ["pci_nvme_*"]. */
  readonly trace?: { readonly events: readonly string[]; readonly file: string };
  /** Told once when QEMU ends without being asked to. */
  readonly onDeath?: (reason: string) => void;
}

/** Stderr that is kept, from its end. */
const stderrMaximum = 4000;
const readyMs = 20_000;
/** How often QEMU's clock is moved to where ours stands. */
const clockMs = 10;
/** Turns of the event loop without work before the looking becomes leisurely. */
const idleTurns = 5000;

/** A QEMU under our hand. `close` ends it; it also ends with our process, whatever happens to that. */
export class QemuQtest {
  readonly machine: QtestMachine;
  readonly qtest: QtestClient;
  readonly qmp: QmpClient;
  readonly #process: ChildProcess;
  readonly #ram: SharedRam;
  readonly #exited: Promise<void>;
  readonly #clockwork: NodeJS.Timeout;
  #stderr = "";
  #isClosing = false;

  private constructor(options: QemuQtestOptions) {
    this.#ram = options.ram;
    this.#process = start(options);
    const { stdio, stderr } = this.#process;
    const stream = (index: number) => new SocketStream(stdio[index] as Socket, options.steps);
    this.qtest = new QtestClient(
      stream(3),
      options.clock,
      (reason) => {
        this.machine.die();
        if (!this.#isClosing) options.onDeath?.(this.describeEnd(reason));
      },
      () => (this.pid === undefined ? "unknown" : processCondition(this.pid)),
    );
    this.qmp = new QmpClient(stream(4), options.clock);
    this.machine = new QtestMachine({
      client: this.qtest,
      clock: options.clock,
      arena: options.arena,
      hasIommu: options.hasIommu ?? false,
      messages: options.messages ?? "doorbell",
    });
    if (options.messages === "memory") this.#lookForMessages(options.steps);
    const step = (): void => this.machine.stepClock();
    // Timers of QEMU's devices run on a clock that only we move.
    this.#clockwork = setInterval(() => {
      if (options.firmware === undefined) options.steps.ready(step, undefined);
    }, clockMs);
    this.#clockwork.unref();
    stderr?.on("data", (bytes: Buffer) => {
      this.#stderr = (this.#stderr + bytes.toString("latin1")).slice(-stderrMaximum);
    });
    this.#exited = new Promise((resolve) => {
      const ended = (how: string) => {
        resolve();
        options.steps.ready(() => this.qtest.die(`QEMU ended ${how}`), undefined);
      };
      this.#process.once("exit", (code, signal) =>
        ended(signal === null ? `with code ${code}` : `by ${signal}`),
      );
      this.#process.once("error", (error) => ended(`before it began: ${error.message}`));
    });
  }

  /** Starts it and brings its PCI functions up. Rejects with QEMU's own words when it does not come up. */
  static async start(
    options: QemuQtestOptions,
    onMachine: (machine: QtestMachine) => void,
  ): Promise<QemuQtest> {
    const qemu = new QemuQtest(options);
    onMachine(qemu.machine);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`QEMU did not come up in ${readyMs / 1000} s`)), readyMs);
    });
    try {
      await Promise.race([qemu.machine.bringUp(), late]);
      qemu.#ram.unlink();
      return qemu;
    } catch (error) {
      const reason = qemu.describeEnd(error instanceof Error ? error.message : String(error));
      await qemu.close();
      throw new Error(reason);
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** `reason` with what QEMU said last, its control characters taken out. */
  describeEnd(reason: string): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
    const said = this.#stderr.trim().replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "?");
    return said === "" ? reason : `${reason}; it said: ${said.split("\n").slice(-3).join(" | ")}`;
  }

  #lookForMessages(steps: StepTaker): void {
    const take = (): void => this.machine.takeMessages();
    let idle = 0;
    const look = (): void => {
      if (this.#isClosing || this.qtest.isDead) return;
      const isDue = this.machine.hasMessages;
      if (isDue) steps.ready(take, undefined);
      idle = isDue || this.qtest.pending > 0 ? 0 : idle + 1;
      if (idle < idleTurns) setImmediate(look);
      else setTimeout(look, 1);
    };
    setImmediate(look);
  }

  /** Asks it to end in good order, as files it writes want it, and waits until it has. */
  async quit(): Promise<void> {
    this.#isClosing = true;
    // Its answer may be cut off by its end.
    this.qmp.execute("quit").catch(() => {});
    await this.#exited;
  }

  /** Kills it. No function is reached afterwards. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#clockwork);
    this.machine.die();
    this.#process.kill("SIGKILL");
    await this.#exited;
    this.qtest.die("closed");
    this.#ram.unlink();
  }

  /** For tests of a QEMU that dies under load. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

function start(options: QemuQtestOptions): ChildProcess {
  const ramMiB = options.ram.bytes.length >>> 20;
  const iommu =
    options.hasIommu === true ? ["-device", "intel-iommu,intremap=on,caching-mode=off,aw-bits=39"] : [];
  const trace =
    options.trace === undefined
      ? []
      : options.trace.events.flatMap((event) => ["-trace", `${event},file=${options.trace?.file}`]);
  const args = [
    ...["-display", "none", "-nodefaults", "-no-user-config"],
    ...(options.firmware === undefined ? ["-accel", "qtest"] : ["-accel", "tcg", "-bios", options.firmware]),
    ...["-chardev", "socket,id=qtest,fd=3", "-qtest", "chardev:qtest", "-qtest-log", "none"],
    ...["-chardev", "socket,id=qmp,fd=4", "-mon", "chardev=qmp,mode=control"],
    ...["-m", `${ramMiB}M`],
    ...["-object", `memory-backend-file,id=ram,size=${ramMiB}M,mem-path=${options.ram.path},share=on`],
    ...["-machine", "q35,pit=off,hpet=off,usb=off,memory-backend=ram"],
    // Hot-plug by the root port's own registers, not by ACPI, which nobody here reads.
    ...["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"],
    ...iommu,
    ...["-device", "edu,addr=6"],
    ...options.devices,
    ...trace,
  ];
  const stdio: ("ignore" | "pipe")[] = ["ignore", "ignore", "pipe", "pipe", "pipe"];
  // QEMU does not notice that its client has gone: the kernel ends it with us.
  return spawn("setpriv", ["--pdeathsig", "KILL", options.binary, ...args], { stdio });
}
