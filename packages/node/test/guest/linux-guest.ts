// A Linux guest under QEMU without hardware virtualisation: a root shell for tests, in a few seconds.

import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { buildGuestImage, type GuestImageOptions, missingForGuest } from "./guest-image.ts";

/** For `test(..., { skip: guestSkip() })`: false, or the sentence that names what is missing. */
export function guestSkip(options: GuestImageOptions = {}): string | false {
  const missing = missingForGuest(options);
  return missing === null ? false : `the Linux guest needs: ${missing}`;
}

const bootMs = 120_000;
const commandMs = 60_000;
const outputMaximum = 4 << 20;
const portAttempts = 5;

export interface GuestOptions extends GuestImageOptions {
  /** More QEMU arguments: controllers and devices. The machine is a q35 without default devices. */
  readonly qemu?: readonly string[];
  /** Ports of the guest that this machine's loopback shall lead to; `guest.forwarded(port)` says where. */
  readonly forward?: readonly number[];
  /** Default 256. */
  readonly memoryMiB?: number;
}

export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/**
 * Commands run one after the other, as root, in one shell: variables and the folder stay. The host is 10.0.2.2 from
 * inside. One boot serves a whole test file. It ends by itself when this process ends, because its init lives from the
 * connection to it.
 */
export class LinuxGuest {
  readonly #process: ChildProcess;
  readonly #server: Server;
  readonly #socket: Socket;
  readonly #forwarded: ReadonlyMap<number, number>;
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #console: string;
  #pending = "";
  #counter = 0;
  #waiting: { marker: RegExp; done: (result: CommandResult) => void } | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** A command that did not come back: the shell is not to be used any more. */
  #stuck: string | null = null;

  private constructor(parts: Booted) {
    this.#process = parts.process;
    this.#server = parts.server;
    this.#socket = parts.socket;
    this.#forwarded = parts.forwarded;
    this.#console = parts.log();
    const keep = (text: Buffer): void => {
      this.#console = (this.#console + text.toString("latin1")).slice(-outputMaximum);
    };
    this.#process.stdout?.on("data", keep);
    this.#process.stderr?.on("data", keep);
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#socket.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      this.#process.once("exit", () => {
        this.#hasEnded = true;
        this.#waiting?.done({ code: 255, output: this.#epitaph() });
        this.#waiting = null;
        resolve();
      });
    });
  }

  /** Rejects with the console's text when it does not come up within two minutes. */
  static async boot(options: GuestOptions = {}): Promise<LinuxGuest> {
    for (let attempt = 1; ; attempt++) {
      try {
        const guest = new LinuxGuest(await start(options));
        await guest.run("echo 0 > /proc/sys/kernel/printk");
        return guest;
      } catch (error) {
        // Somebody else took the port between our asking for a free one and QEMU's taking it.
        const isPortTaken = error instanceof Error && error.message.includes("host forwarding rule");
        if (!isPortTaken || attempt === portAttempts) throw error;
      }
    }
  }

  /** The process id of QEMU. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The port of 127.0.0.1 that leads to `guestPort`, which was named in `forward`. */
  forwarded(guestPort: number): number {
    const port = this.#forwarded.get(guestPort);
    if (port === undefined) throw new Error(`port ${guestPort} of the guest was not named in "forward"`);
    return port;
  }

  /** Runs a command; rejects when it fails. Answers what it printed, both streams, without the last line feed. */
  async run(command: string, timeoutMs = commandMs): Promise<string> {
    const { code, output } = await this.tryRun(command, timeoutMs);
    if (code !== 0) throw new Error(`in the guest: ${command}\nended with ${code}: ${output}`);
    return output;
  }

  /** As `run`, also for commands that may fail. Rejects when the command does not end in time or the guest has. */
  tryRun(command: string, timeoutMs = commandMs): Promise<CommandResult> {
    const next = this.#queue.then(() => this.#execute(command, timeoutMs));
    this.#queue = next.catch(() => {});
    return next;
  }

  /** Repeats a command until its output matches; rejects with the last output after `timeoutMs`. */
  async waitFor(command: string, pattern: RegExp, timeoutMs = 20_000): Promise<string> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const { output } = await this.tryRun(command);
      if (pattern.test(output)) return output;
      if (performance.now() > until) {
        throw new Error(`in the guest: ${command}\nnever matched ${pattern}, last: ${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Puts a file into the guest. */
  async put(path: string, bytes: Uint8Array | string): Promise<void> {
    const server = createServer((socket) => socket.on("error", () => {}).end(bytes));
    const port = await listenLocally(server);
    try {
      await this.run(`nc 10.0.2.2 ${port} > ${path}`);
    } finally {
      server.close();
    }
  }

  /** Gets a file out of the guest. */
  async get(path: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    let whole = (): void => {};
    const ended = new Promise<void>((resolve) => {
      whole = resolve;
    });
    const server = createServer((socket) => {
      socket.on("data", (part: Buffer) => parts.push(part));
      socket.on("error", () => {});
      socket.on("close", () => whole());
      socket.on("end", () => socket.end());
    });
    const port = await listenLocally(server);
    try {
      await this.run(`nc 10.0.2.2 ${port} < ${path}`);
      await ended;
      return Buffer.concat(parts);
    } finally {
      server.close();
    }
  }

  /** Kernel messages since the boot or the last `clearDmesg`. */
  dmesg(): Promise<string> {
    return this.run("dmesg");
  }

  async clearDmesg(): Promise<void> {
    await this.run("dmesg -c > /dev/null");
  }

  /**
   * Imports a device from a USB/IP server on this machine with Linux's own tool. Answers the number of the virtual port
   * it sits in, for `detach`.
   */
  async attach(port: number, busId: string): Promise<number> {
    await this.run("modprobe -a vhci-hcd");
    const before = await this.#virtualPorts();
    await this.run(`usbip --tcp-port ${port} attach -r 10.0.2.2 -b ${busId}`);
    const after = await this.#virtualPorts();
    const added = [...after].find((number) => !before.has(number));
    if (added === undefined) throw new Error(`the guest has attached ${busId} to no port`);
    return added;
  }

  /** Gives back what is in a virtual port. */
  async detach(virtualPort: number): Promise<void> {
    await this.run(`usbip detach -p ${virtualPort}`);
  }

  /**
   * Offers a device of the guest over USB/IP, from the `forward`ed port 3240. `busId` is its name in
   * /sys/bus/usb/devices.
   */
  async offer(busId: string): Promise<void> {
    await this.run("modprobe usbip-host; pidof usbipd > /dev/null || usbipd -D");
    const device = `/sys/bus/usb/devices/${busId}`;
    const driver = "/sys/bus/usb/drivers/usbip-host";
    // No line feed in match_busid: it would become part of the name.
    await this.run(
      `[ ! -e ${device}/driver ] || echo ${busId} > ${device}/driver/unbind
       printf 'add %s' ${busId} > ${driver}/match_busid && echo ${busId} > ${driver}/bind`,
    );
  }

  /** Switches it off; kills it by its process id when it does not obey. */
  async stop(): Promise<void> {
    if (this.#stuck === null) this.#socket.write("poweroff -f\n");
    else this.#process.kill("SIGKILL");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 3000);
    await this.#ended;
    clearTimeout(timer);
    this.#socket.destroy();
    this.#server.close();
  }

  /** Numbers of the virtual ports in use (state 4 is free). */
  async #virtualPorts(): Promise<Set<number>> {
    const status = await this.run("cat /sys/devices/platform/vhci_hcd.0/status");
    const used = new Set<number>();
    for (const line of status.split("\n")) {
      const [, port, state] = line.trim().split(/\s+/);
      if (/^\d+$/.test(port ?? "") && state !== "004") used.add(Number(port));
    }
    return used;
  }

  #execute(command: string, timeoutMs: number): Promise<CommandResult> {
    if (this.#stuck !== null)
      return Promise.reject(new Error(`the guest's shell is stuck in: ${this.#stuck}`));
    if (this.#hasEnded) return Promise.reject(new Error(this.#epitaph()));
    return new Promise((resolve, reject) => {
      const number = ++this.#counter;
      const timer = setTimeout(() => {
        this.#waiting = null;
        this.#stuck = command;
        const so = `in the guest: ${command}\nis still running after ${timeoutMs} ms: ${this.#pending}`;
        reject(new Error(so));
      }, timeoutMs);
      this.#waiting = {
        marker: new RegExp(`\\ndone-${number} (\\d+)\\n`),
        done: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
      };
      // The marker's text does not occur in the command itself.
      this.#socket.write(`{ ${command}\n} </dev/null 2>&1; printf '\\n%s%s %d\\n' 'done-' '${number}' $?\n`);
    });
  }

  #read(text: string): void {
    this.#pending += text;
    const waiting = this.#waiting;
    if (waiting === null) {
      this.#pending = this.#pending.slice(-outputMaximum);
      return;
    }
    const match = waiting.marker.exec(this.#pending);
    if (match === null) return;
    const output = this.#pending.slice(0, match.index).replace(/\n$/, "");
    this.#pending = this.#pending.slice(match.index + match[0].length);
    this.#waiting = null;
    waiting.done({ code: Number(match[1]), output });
  }

  #epitaph(): string {
    return `the guest has ended:\n${this.#console.slice(-2000)}`;
  }
}

interface Booted {
  readonly process: ChildProcess;
  readonly server: Server;
  readonly socket: Socket;
  readonly forwarded: ReadonlyMap<number, number>;
  readonly log: () => string;
}

async function start(options: GuestOptions): Promise<Booted> {
  const image = buildGuestImage(options);
  const server = createServer();
  const control = await listenLocally(server);
  const forwarded = new Map<number, number>();
  let forward = "";
  for (const guestPort of options.forward ?? []) {
    const port = await freePort();
    forwarded.set(guestPort, port);
    forward += `,hostfwd=tcp:127.0.0.1:${port}-:${guestPort}`;
  }
  const child = spawn(
    "qemu-system-x86_64",
    [
      ...["-M", "q35", "-accel", "tcg", "-smp", "1", "-m", String(options.memoryMiB ?? 256)],
      ...["-display", "none", "-monitor", "none", "-serial", "stdio", "-nodefaults", "-no-reboot"],
      ...["-kernel", image.kernel, "-initrd", image.initramfs],
      // The timer is QEMU's own: a check that counts its ticks panics when this machine is busy.
      // Detours round a real processor's leaks cost an emulated one a tenth of its time.
      ...["-append", `console=ttyS0 panic=-1 quiet no_timer_check mitigations=off ctl=${control}`],
      ...["-netdev", `user,id=n0${forward}`, "-device", "virtio-net-pci,netdev=n0,romfile="],
      ...(options.qemu ?? []),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  const keep = (text: Buffer): void => {
    log = (log + text.toString("latin1")).slice(-outputMaximum);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const socket = await new Promise<Socket>((resolve, reject) => {
    const fail = (what: string): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      server.close();
      reject(new Error(`the Linux guest ${what}:\n${log.slice(-3000)}`));
    };
    const timer = setTimeout(() => fail("did not come up in time"), bootMs);
    child.once("error", (error) => fail(error.message));
    // "close" comes after the last output, so that the reason is in the message.
    const ended = (code: number | null): void => fail(`ended with ${code} while it booted`);
    child.once("close", ended);
    server.once("connection", (connection) => {
      clearTimeout(timer);
      child.off("close", ended);
      resolve(connection);
    });
  });
  child.stdout?.off("data", keep);
  child.stderr?.off("data", keep);
  return { process: child, server, socket, forwarded, log: () => log };
}

function listenLocally(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("the server has no port"));
      else resolve(address.port);
    });
  });
}

/** A port of loopback that nobody has at the moment: for QEMU to listen on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenLocally(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
