// Pseudo-terminals of Linux as a TerminalPort: programs open them like any serial port.

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import type { LineSettings } from "@drydock/core/ports/serial";
import type { TerminalClient, TerminalPort } from "@drydock/core/ports/terminal";
import { eventOne, linuxCalls } from "../host/linux-calls.ts";
import { makeTerminalLink, removeTerminalLink } from "./terminal-link.ts";

/** ioctl requests and flags of Linux, asm-generic (the same on x86-64 and arm64). */
const TIOCSPTLCK = 0x40045431;
const TIOCGPTN = 0x80045430;
const TCGETS2 = 0x802c542a;
const TCSETS2 = 0x402c542b;
const termios2Bytes = 44;
const TCFLSH = 0x540b;
const TCIFLUSH = 0;
const TCOFLUSH = 1;
const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 16;
const CSIZE = 0x30;
const CS8 = 0x30;
const CSTOPB = 0x40;
const CREAD = 0x80;
const PARENB = 0x100;
const PARODD = 0x200;
const HUPCL = 0x400;
const BOTHER = 0x1000;
const CMSPAR = 0x40000000;
const CRTSCTS = 0x80000000;
const IXON = 0x400;
const IXOFF = 0x1000;
const VMIN = 6;
const VSTART = 8;
const VSTOP = 9;

/** How long one wait in the thread pool lasts, and how often a terminal nobody has open is looked at. */
const waitMs = 100;
const closedLookMs = 10;
/** Settings are compared when bytes come, and this often besides. */
const settingsLookMs = 25;
const blockBytes = 64 * 1024;
/** What one read(2) of a master gives at most. */
const fullRead = 4095;
/** How long bytes of a program that has gone may wait to be taken, as Linux's closing_wait. */
const closingWaitMs = 30_000;

export interface PtyOptions {
  /** A stable name: a symbolic link to the terminal, removed at the end. Only one of ours is ever replaced. */
  readonly link?: string;
}

/**
 * Opens a pseudo-terminal in raw mode at 9600 8N1. What Linux shows of a slave on the master's side: whether it is
 * open (POLLHUP), and its termios. What it does not: breaks, modem lines, and character size and parity, which
 * the kernel forces to 8N1 on pseudo-terminals; speed, stop bits and flow control come through.
 *
 * Waiting is done by poll(2) in the thread pool: libuv cannot wait on a master whose slave comes and goes.
 */
export function openPty(options: PtyOptions = {}): Pty {
  return new Pty(options);
}

/** Terminals of this thread that no program had open at the last look. */
const closedTerminals = new Set<Pty>();

export class Pty implements TerminalPort {
  readonly path: string;
  /** The link, or the path where there is none: what people should open. */
  readonly name: string;
  readonly #native = linuxCalls("pseudo-terminals");
  readonly #fd: number;
  readonly #link: string | null;
  /** Two pollfd: the master, and the event that ends a wait whose question has changed. */
  readonly #pollFds = new Uint8Array(16);
  readonly #pollView = new DataView(this.#pollFds.buffer);
  readonly #event: number;
  /** What the wait under way was asked for. */
  #waitsFor = 0;
  readonly #block = Buffer.alloc(blockBytes);
  readonly #termios = new Uint8Array(termios2Bytes);
  #lastTermios = "";
  #from = 0;
  #to = 0;
  #client: TerminalClient | null = null;
  #isOpen = false;
  #isEnded = false;
  #isWaiting = false;
  #wantsOutput = false;
  /** When the last program left with bytes still to be taken. */
  #leftAtMs: number | null = null;
  readonly #eventCount = new Uint8Array(8);
  #timer: NodeJS.Timeout | null = null;
  #lastLook = 0;

  constructor(options: PtyOptions) {
    this.#fd = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    const number = new Uint8Array(4);
    this.#must(this.#native.ioctl(this.#fd, TIOCSPTLCK, number), "unlock");
    this.#must(this.#native.ioctl(this.#fd, TIOCGPTN, number), "number");
    this.path = `/dev/pts/${new DataView(number.buffer).getUint32(0, true)}`;
    this.#setRaw();
    this.#link = options.link ?? null;
    this.name = this.#link ?? this.path;
    if (this.#link !== null) this.#makeLink(this.#link);
    this.#event = this.#native.eventfd();
    this.#pollView.setInt32(0, this.#fd, true);
    this.#pollView.setInt32(8, this.#event, true);
    this.#pollView.setInt16(12, POLLIN, true);
  }

  /** What it holds open: for who ends the thread that it lives in. */
  get descriptors(): readonly number[] {
    return [this.#fd, this.#event];
  }

  connect(client: TerminalClient): void {
    this.#client = client;
    closedTerminals.add(this);
    this.#lookAtClosed();
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    // Nobody will read it any more: like a line whose listener has gone.
    if (this.#isEnded || !this.#isOpen || this.#leftAtMs !== null) return length;
    let written = 0;
    try {
      while (written < length) {
        const count = writeSync(this.#fd, bytes, offset + written, length - written);
        written += count;
        if (count === 0) break;
      }
    } catch (error) {
      if (!isAgain(error)) return length;
    }
    if (written < length) {
      this.#wantsOutput = true;
      this.#wait();
    }
    return written;
  }

  resume(): void {
    if (this.#isOpen && this.#from < this.#to) setImmediate(this.#resumed);
  }

  readonly #resumed = (): void => {
    if (this.#isEnded || !this.#isOpen || this.#from === this.#to) return;
    if (this.#leftAtMs !== null) {
      this.#leave();
      return;
    }
    this.#readAll();
    this.#wait();
  };

  hangUp(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#isOpen = false;
    closedTerminals.delete(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#link !== null) removeTerminalLink(this.#link, this.path);
    // A wait in the thread pool still uses the descriptor: its end closes it.
    if (!this.#isWaiting) this.#close();
  }

  #close(): void {
    closeSync(this.#fd);
    closeSync(this.#event);
  }

  /**
   * While no program has it open there is nothing to wait for, only to look at. Who is found open may have been opened
   * after another that waits for what is written here: all that were closed are looked at before anything is read.
   */
  readonly #lookAtClosed = (): void => {
    if (!this.#looksOpen()) return;
    for (const other of [...closedTerminals]) if (other.#looksOpen()) other.#open();
    this.#open();
  };

  /** True once for each time that it is opened; until then the next look is set. */
  #looksOpen(): boolean {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isEnded) return false;
    const events = this.#pollNow(POLLIN);
    // A program that came, wrote and went between two looks leaves its bytes behind.
    const isClosed = (events & POLLHUP) !== 0 && (events & POLLIN) === 0;
    if (isClosed || !this.#slaveWasTouched()) {
      this.#timer = setTimeout(this.#lookAtClosed, closedLookMs);
      return false;
    }
    closedTerminals.delete(this);
    return true;
  }

  #open(): void {
    if (this.#isEnded) return;
    this.#isOpen = true;
    this.#from = 0;
    this.#to = 0;
    this.#client?.opened();
    this.#lookAtSettings();
    this.#wait();
  }

  #firstOpenSeen = false;

  /**
   * A fresh master shows no hang-up before the first open, so the first open must be told otherwise: the slave is
   * opened and closed by ourselves once, after which POLLHUP says the truth.
   */
  #slaveWasTouched(): boolean {
    if (this.#firstOpenSeen) return true;
    this.#firstOpenSeen = true;
    closeSync(openSync(this.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    return false;
  }

  #interest(): number {
    // With input that core has not taken, only output and hang-up matter.
    return (this.#from === this.#to ? POLLIN : 0) | (this.#wantsOutput ? POLLOUT : 0);
  }

  #wait(): void {
    if (this.#isEnded || !this.#isOpen) return;
    const events = this.#interest();
    if (this.#isWaiting) {
      // A wait that does not ask for this is ended; its end asks again.
      if ((events & ~this.#waitsFor) !== 0) writeSync(this.#event, eventOne);
      return;
    }
    this.#isWaiting = true;
    this.#waitsFor = events;
    this.#pollView.setInt16(4, events, true);
    this.#pollView.setInt16(6, 0, true);
    this.#pollView.setInt16(14, 0, true);
    this.#native.pollLater(this.#pollFds, waitMs, this.#woken);
  }

  readonly #woken = (): void => {
    this.#isWaiting = false;
    if (this.#isEnded) {
      this.#close();
      return;
    }
    if (this.#pollView.getInt16(14, true) !== 0) readSync(this.#event, this.#eventCount, 0, 8, null);
    const events = this.#pollView.getInt16(6, true);
    if ((events & POLLIN) !== 0) this.#readAll();
    if (this.#isEnded) return;
    if ((events & POLLOUT) !== 0 && this.#wantsOutput) {
      this.#wantsOutput = false;
      this.#client?.writable();
    }
    if ((events & POLLHUP) !== 0 && (events & POLLIN) === 0) {
      this.#leave();
      return;
    }
    if (performance.now() - this.#lastLook > settingsLookMs) this.#lookAtSettings();
    this.#wait();
  };

  /** The last program has gone; what it wrote is still delivered, within reason, before the port is told. */
  #leave(): void {
    this.#readAll(true);
    if (this.#isEnded) return;
    this.#leftAtMs ??= performance.now();
    if (this.#wantsOutput) {
      this.#wantsOutput = false;
      this.#client?.writable();
    }
    if (this.#from < this.#to && performance.now() - this.#leftAtMs < closingWaitMs) {
      // `resume` goes on; a look now and then finds a port that never does.
      this.#timer ??= setTimeout(this.#lookAtLeaving, closedLookMs * 10);
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#leftAtMs = null;
    if ((this.#pollNow(0) & POLLHUP) === 0) {
      // Somebody opened it again meanwhile.
      this.#wait();
      return;
    }
    this.#isOpen = false;
    this.#wantsOutput = false;
    this.#dropUnread();
    this.#client?.closed();
    closedTerminals.add(this);
    this.#timer = setTimeout(this.#lookAtClosed, closedLookMs);
  }

  /**
   * What came for the program that has gone, and what was written before its going was seen, is nobody's: a port that is closed
   * keeps nothing, and the kernel would give it to whoever opens the terminal next. It lies partly in the driver's buffer,
   * which the master empties, and partly in the line discipline's, which only the other side does.
   */
  #dropUnread(): void {
    this.#native.ioctlNumber(this.#fd, TCFLSH, TCOFLUSH);
    let slave: number;
    try {
      slave = openSync(this.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    } catch {
      // Somebody has it for himself alone by now (TIOCEXCL).
      return;
    }
    this.#native.ioctlNumber(slave, TCFLSH, TCIFLUSH);
    closeSync(slave);
  }

  readonly #lookAtLeaving = (): void => {
    this.#timer = null;
    if (this.#isEnded || !this.#isOpen) return;
    this.#leave();
  };

  /** Until core takes no more or nothing is left; a short read mostly means the latter and saves the asking. */
  #readAll(isLast = false): void {
    this.#lookAtSettings();
    for (;;) {
      if (this.#from === this.#to) {
        this.#from = 0;
        this.#to = 0;
        try {
          this.#to = readSync(this.#fd, this.#block, 0, blockBytes, null);
        } catch (error) {
          if (isAgain(error) || isHangUp(error)) return;
          throw error;
        }
        if (this.#to === 0) return;
      }
      const before = this.#from;
      this.#offer();
      if (this.#from < this.#to || this.#isEnded || this.#from === before) return;
      if (this.#to < fullRead && !isLast) return;
    }
  }

  #offer(): void {
    if (this.#isEnded || this.#from === this.#to || this.#client === null) return;
    this.#from += this.#client.input(this.#block, this.#from, this.#to - this.#from);
  }

  #lookAtSettings(): void {
    this.#lastLook = performance.now();
    if (this.#native.ioctl(this.#fd, TCGETS2, this.#termios) !== 0) return;
    const now = Buffer.from(this.#termios).toString("latin1");
    if (now === this.#lastTermios) return;
    this.#lastTermios = now;
    this.#client?.settingsChanged(settingsOf(this.#termios));
  }

  #pollNow(events: number): number {
    const fds = new Uint8Array(8);
    const view = new DataView(fds.buffer);
    view.setInt32(0, this.#fd, true);
    view.setInt16(4, events, true);
    this.#native.poll(fds, 1, 0);
    return view.getInt16(6, true);
  }

  /** No echo, no line editing, no translation: a serial line is bytes. */
  #setRaw(): void {
    this.#must(this.#native.ioctl(this.#fd, TCGETS2, this.#termios), "read the settings");
    const view = new DataView(this.#termios.buffer);
    view.setUint32(0, 0, true);
    view.setUint32(4, 0, true);
    view.setUint32(8, CS8 | CREAD | HUPCL | BOTHER, true);
    view.setUint32(12, 0, true);
    this.#termios[17 + VMIN] = 1;
    view.setUint32(36, 9600, true);
    view.setUint32(40, 9600, true);
    this.#must(this.#native.ioctl(this.#fd, TCSETS2, this.#termios), "set raw mode");
  }

  #makeLink(link: string): void {
    try {
      makeTerminalLink(link, this.path);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  #must(result: number, what: string): void {
    if (result === 0) return;
    closeSync(this.#fd);
    throw new Error(`the pseudo-terminal refused to ${what}`);
  }
}

/** termios2 -> line settings. */
function settingsOf(termios: Uint8Array): LineSettings {
  const view = new DataView(termios.buffer);
  const input = view.getUint32(0, true);
  const control = view.getUint32(8, true);
  const isMarkSpace = (control & CMSPAR) !== 0;
  const isOdd = (control & PARODD) !== 0;
  const parity =
    (control & PARENB) === 0 ? "none" : isMarkSpace ? (isOdd ? "mark" : "space") : isOdd ? "odd" : "even";
  return {
    baudRate: view.getUint32(40, true),
    dataBits: (5 + ((control & CSIZE) >> 4)) as LineSettings["dataBits"],
    parity,
    halfStopBits: (control & CSTOPB) === 0 ? 2 : 4,
    rtsCts: (control & CRTSCTS) !== 0,
    xonXoff: (input & (IXON | IXOFF)) !== 0,
    xonByte: termios[17 + VSTART],
    xoffByte: termios[17 + VSTOP],
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

const isAgain = (error: unknown): boolean => codeOf(error) === "EAGAIN";
const isHangUp = (error: unknown): boolean => codeOf(error) === "EIO";
