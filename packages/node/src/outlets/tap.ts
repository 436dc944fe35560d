// A TAP device of Linux: an interface of this machine whose cable ends in this process. By koffi.

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import type { FrameTaker } from "@drydock/core/ports/ethernet";
import { eventOne, linuxCalls } from "../host/linux-calls.ts";
import type { StepTaker } from "../host/ordered-steps.ts";

/** ioctl requests of linux/if_tun.h and linux/sockios.h, and flags of the first (the same on x86-64 and arm64). */
const TUNSETIFF = 0x400454ca;
const SIOCSIFHWADDR = 0x8924;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const ARPHRD_ETHER = 1;
const ifreqBytes = 40;
const nameBytes = 16;
const POLLIN = 1;
const waitMs = 1000;
const frameBytes = 65_536;
/** Frames of one turn: a flood of them must not keep others waiting. */
const framesAtOnce = 64;

const errnoNames: Readonly<Record<number, string>> = {
  1: "this needs the right to administer the network (root, or CAP_NET_ADMIN)",
  13: "this needs the right to administer the network (root, or CAP_NET_ADMIN)",
  16: "another program has an interface of that name",
  22: "an interface of that name exists, or the name cannot be one",
};

export interface TapOptions {
  /** At most 15 characters; `%d` in it is the lowest number that is free. Default "drydock%d". */
  readonly name?: string;
  /** The interface's station address: six bytes. */
  readonly macAddress: Uint8Array;
  /** Takes frames that the host sends. Called in a turn of `steps`. */
  readonly to: FrameTaker;
  readonly steps: StepTaker;
}

/**
 * Makes an interface of this machine, with that name and address, and nothing else: it is down and has no IP address until somebody
 * gives it one. It is gone when `close` was called or this process has ended, however it ended. Throws an Error that says what
 * is missing: the device file, the right, the package.
 */
export function openTap(options: TapOptions): Tap {
  return new Tap(options);
}

export class Tap implements FrameTaker {
  readonly name: string;
  /** Frames that the host did not take: the interface is down. */
  lostFrames = 0;
  sentFrames = 0;
  receivedFrames = 0;
  readonly #native = linuxCalls("TAP devices");
  readonly #fd: number;
  readonly #event: number;
  readonly #options: TapOptions;
  readonly #pollFds = new Uint8Array(16);
  readonly #frame = new Uint8Array(frameBytes);
  #isClosed = false;

  constructor(options: TapOptions) {
    const name = options.name ?? "drydock%d";
    if (!/^[A-Za-z0-9_.%-]{1,15}$/.test(name))
      throw new Error(`"${name}" is no name for an interface: at most 15 letters, digits, "_", "." and "-"`);
    this.#options = options;
    try {
      this.#fd = openSync("/dev/net/tun", constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      throw new Error(`/dev/net/tun cannot be opened: ${(error as Error).message}`);
    }
    const request = new Uint8Array(ifreqBytes);
    request.set(Buffer.from(name, "latin1"));
    new DataView(request.buffer).setUint16(nameBytes, IFF_TAP | IFF_NO_PI, true);
    this.#ask(TUNSETIFF, request, `an interface "${name}" cannot be made`);
    this.name = Buffer.from(request.subarray(0, request.indexOf(0))).toString("latin1");
    const address = new Uint8Array(ifreqBytes);
    address.set(request.subarray(0, nameBytes));
    new DataView(address.buffer).setUint16(nameBytes, ARPHRD_ETHER, true);
    address.set(options.macAddress, nameBytes + 2);
    this.#ask(SIOCSIFHWADDR, address, `the interface "${this.name}" does not take the adapter's address`);
    this.#event = this.#native.eventfd();
    const view = new DataView(this.#pollFds.buffer);
    view.setInt32(0, this.#fd, true);
    view.setInt16(4, POLLIN, true);
    view.setInt32(8, this.#event, true);
    view.setInt16(12, POLLIN, true);
    this.#wait();
  }

  #ask(request: number, argument: Uint8Array, what: string): void {
    if (this.#native.ioctl(this.#fd, request, argument) >= 0) return;
    const errno = this.#native.errno();
    closeSync(this.#fd);
    throw new Error(`${what}: ${errnoNames[errno] ?? `error ${errno}`}`);
  }

  /** A frame for the host. */
  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#isClosed) return;
    try {
      writeSync(this.#fd, bytes, offset, length);
      this.sentFrames++;
    } catch {
      this.lostFrames++;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The wait in the thread pool ends, and closes.
    writeSync(this.#event, eventOne);
  }

  #wait(): void {
    this.#native.pollLater(this.#pollFds, waitMs, () => {
      if (this.#isClosed) {
        closeSync(this.#fd);
        closeSync(this.#event);
        return;
      }
      this.#options.steps.ready(readTap, this as Tap);
    });
  }

  /** Called in a turn of the machine. */
  read(): void {
    for (let count = 0; count < framesAtOnce && !this.#isClosed; count++) {
      let length: number;
      try {
        length = readSync(this.#fd, this.#frame, 0, frameBytes, null);
      } catch {
        break;
      }
      this.receivedFrames++;
      this.#options.to.frame(this.#frame, 0, length);
    }
    this.#wait();
  }
}

function readTap(tap: Tap): void {
  tap.read();
}
