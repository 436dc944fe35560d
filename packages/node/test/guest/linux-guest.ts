// A Linux guest under QEMU without hardware virtualisation: a root shell for tests, in a few seconds.

import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { buildGuestImage, missingForGuest } from "./guest-image.ts";

/** For `test(..., { skip: guestSkip })`: false, or the sentence that names what is missing. */
export const guestSkip: string | false = ((): string | false => {
  const missing = missingForGuest();
  return missing === null ? false : `the Linux guest needs: ${missing}`;
})();

const bootMs = 120_000;
const commandMs = 60_000;
const outputMaximum = 4 << 20;

export interface GuestOptions {
  /** More QEMU arguments: controllers and devices. */
  readonly qemu?: readonly string[];
  /** A port of this machine's loopback that leads to port 3240 of the guest. */
  readonly forwardUsbip?: number;
}

export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** Commands run one after the other, as root. The host is 10.0.2.2 from inside. */
export class LinuxGuest {
  readonly #process: ChildProcess;
  readonly #server: Server;
  readonly #socket: Socket;
  #console: string;
  #pending = "";
  #counter = 0;
  #waiting: { marker: string; done: (result: CommandResult) => void } | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #ended: Promise<void>;

  private constructor(process: ChildProcess, server: Server, socket: Socket, booted: string) {
    this.#process = process;
    this.#server = server;
    this.#socket = socket;
    this.#console = booted;
    process.stdout?.on("data", (text) => {
      this.#console = (this.#console + text).slice(-outputMaximum);
    });
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#read(text));
    socket.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      process.once("exit", () => {
        this.#waiting?.done({ code: 255, output: `the guest has ended:\n${this.#console.slice(-2000)}` });
        this.#waiting = null;
        resolve();
      });
    });
  }

  static async boot(options: GuestOptions = {}): Promise<LinuxGuest> {
    const image = buildGuestImage();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const forward =
      options.forwardUsbip === undefined ? "" : `,hostfwd=tcp:127.0.0.1:${options.forwardUsbip}-:3240`;
    const child = spawn(
      "qemu-system-x86_64",
      [
        ...["-M", "q35", "-accel", "tcg", "-smp", "1", "-m", "256"],
        ...["-display", "none", "-monitor", "none", "-serial", "stdio", "-nodefaults", "-no-reboot"],
        ...["-kernel", image.kernel, "-initrd", image.initramfs],
        ...["-append", `console=ttyS0 panic=-1 quiet ctl=${address.port}`],
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
      const timer = setTimeout(() => fail("did not come up in time"), bootMs);
      const fail = (what: string): void => {
        clearTimeout(timer);
        child.kill("SIGKILL");
        server.close();
        reject(new Error(`the Linux guest ${what}:\n${log.slice(-3000)}`));
      };
      child.once("error", (error) => fail(error.message));
      child.once("exit", (code) => fail(`ended with ${code} while it booted`));
      server.once("connection", (connection) => {
        clearTimeout(timer);
        child.removeAllListeners("exit");
        resolve(connection);
      });
    });
    child.stdout?.off("data", keep);
    const guest = new LinuxGuest(child, server, socket, log);
    await guest.run("export PATH=/bin:/sbin:/usr/sbin:/usr/bin; echo 0 > /proc/sys/kernel/printk");
    return guest;
  }

  /** Runs a command; rejects when it fails. Answers what it printed, both streams, without the last line feed. */
  async run(command: string, timeoutMs = commandMs): Promise<string> {
    const { code, output } = await this.tryRun(command, timeoutMs);
    if (code !== 0) throw new Error(`in the guest: ${command}\nended with ${code}: ${output}`);
    return output;
  }

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
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Kernel messages since the last `clearDmesg`. */
  dmesg(): Promise<string> {
    return this.run("dmesg");
  }

  async clearDmesg(): Promise<void> {
    await this.run("dmesg -c > /dev/null");
  }

  /** Imports a device from a server on this machine with Linux's own tool. */
  async attach(port: number, busId: string): Promise<void> {
    await this.run("modprobe -a vhci-hcd");
    await this.run(`usbip --tcp-port ${port} attach -r 10.0.2.2 -b ${busId}`);
  }

  /** Gives back what is on a vhci port; 0 is the first of the slow and high-speed ones. */
  async detach(vhciPort = 0): Promise<void> {
    await this.run(`usbip detach -p ${vhciPort}`);
  }

  /** Switches it off; kills it by its process id when it does not obey. */
  async stop(): Promise<void> {
    this.#socket.write("poweroff -f\n");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 3000);
    await this.#ended;
    clearTimeout(timer);
    this.#socket.destroy();
    this.#server.close();
  }

  #execute(command: string, timeoutMs: number): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const marker = `done-${++this.#counter}`;
      const timer = setTimeout(() => {
        this.#waiting = null;
        reject(
          new Error(`in the guest: ${command}\nis still running after ${timeoutMs} ms: ${this.#pending}`),
        );
      }, timeoutMs);
      this.#waiting = {
        marker,
        done: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
      };
      // The marker's text does not occur in the command itself.
      const [head, tail] = ["done-", String(this.#counter)];
      this.#socket.write(`{ ${command}\n} </dev/null 2>&1; printf '\\n%s%s %d\\n' '${head}' '${tail}' $?\n`);
    });
  }

  #read(text: string): void {
    this.#pending += text;
    const waiting = this.#waiting;
    if (waiting === null) return;
    const match = new RegExp(`\\n${waiting.marker} (\\d+)\\n`).exec(this.#pending);
    if (match === null) return;
    const output = this.#pending.slice(0, match.index).replace(/\n$/, "");
    this.#pending = this.#pending.slice(match.index + match[0].length);
    this.#waiting = null;
    waiting.done({ code: Number(match[1]), output });
  }
}
