// One RFC 2217 connection: telnet options, Com Port Control requests and bytes, in the order in which they came.

import { getU32be, putU32be } from "../../base/bytes.ts";
import type { Clock, TimerHandle } from "../../base/clock.ts";
import { encodeUtf8 } from "../../base/text.ts";
import { second } from "../../base/units.ts";
import {
  ComPort,
  ComPortControl,
  ComPortLine,
  comPortHalfStopBits,
  comPortParities,
  comPortServer,
  modemStateByte,
  modemStateChange,
} from "../../codec/rfc2217/com-port.ts";
import {
  encodeNegotiation,
  encodeSubnegotiation,
  escapeTelnetData,
  Telnet,
  type TelnetListener,
  TelnetOption,
  TelnetReader,
} from "../../codec/rfc2217/telnet.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import {
  defaultLineSettings,
  type LineSettings,
  type ModemStatus,
  type ReceiveErrors,
  type SerialClient,
  type SerialPort,
} from "../../ports/serial.ts";

export interface Rfc2217SessionOptions {
  readonly clock: Clock;
  readonly onEvent: (text: string) => void;
  readonly onEnd: () => void;
}

const blockBytes = 4096;
/** Things that a client has asked for and that wait for bytes before them; a client that sends more is not read. */
const waitingMaximum = 64;
/** So long a client that has gone leaves its bytes to a line that does not move. */
const closingWaitNs = 30 * second;
/** What both sides may do, and what only we do. */
const mutual: readonly number[] = [TelnetOption.binary, TelnetOption.suppressGoAhead, TelnetOption.comPort];
const ours: readonly number[] = [...mutual, TelnetOption.echo];

/** One after the other: bytes, and requests behind them. */
type Step = { readonly bytes: Uint8Array; at: number } | (() => void);

/**
 * The port is opened with the connection and closed with it. Settings are answered when the driver has carried them out,
 * with what is in force then: RFC 2217 §3, "the server answers with the value that is actually used".
 */
export class Rfc2217Session implements SerialClient, ByteStreamClient, TelnetListener {
  readonly #port: SerialPort;
  readonly #stream: ByteStream;
  readonly #options: Rfc2217SessionOptions;
  readonly #reader = new TelnetReader(this);
  readonly #steps: Step[] = [];
  readonly #block = new Uint8Array(blockBytes);
  /** Options that we do, or have offered; and that the other side does, or was asked to. */
  readonly #us = new Set<number>();
  readonly #them = new Set<number>();
  /** Setting requests that wait for the driver. */
  readonly #answers: { readonly change: number; answer(settings: LineSettings): void }[] = [];
  /** Changes that were asked of the port, `open` being the first, and how many of them are in force. */
  #changes = 1;
  #changesDone = 0;
  #settings: LineSettings = defaultLineSettings;
  #dtr = true;
  #rts = true;
  #isBreaking = false;
  #modemMask = 0xff;
  #lineMask = 0;
  #toldModem = 0;
  #hasTold = false;
  #isPaused = false;
  /** The stream has taken enough, or the client has asked for silence. */
  #isFull = false;
  #isSuspended = false;
  /** The client has gone; what it sent before is still written. */
  #isClosing = false;
  #closingTimer: TimerHandle = 0;
  #isOver = false;
  /** The client has said something that is whole. */
  #hasSpoken = false;

  private constructor(port: SerialPort, stream: ByteStream, options: Rfc2217SessionOptions) {
    this.#port = port;
    this.#stream = stream;
    this.#options = options;
  }

  /** Opens the port for the connection, or says why not; then the stream is untouched. */
  static open(port: SerialPort, stream: ByteStream, options: Rfc2217SessionOptions): Rfc2217Session | string {
    const session = new Rfc2217Session(port, stream, options);
    const refusal = port.open(session);
    if (refusal !== null) return refusal;
    stream.connect(session);
    session.#begin();
    return session;
  }

  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  end(how = "was ended"): void {
    this.#leave(how);
    this.#stream.close();
  }

  // ---- the stream

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#reader.push(bytes);
    this.#run();
  }

  drained(): void {
    this.#isFull = false;
    this.#pump();
  }

  /** What the client wrote before it closed was accepted: it is still sent, for as long as the line moves. */
  closed(): void {
    if (this.#isOver) return;
    this.#isClosing = true;
    this.#steps.splice(0, this.#steps.length, ...this.#steps.filter((step) => typeof step !== "function"));
    this.#answers.length = 0;
    this.#run();
    if (!this.#isOver) this.#watchClosing(this.#waitingBytes());
  }

  #waitingBytes(): number {
    return this.#steps.reduce(
      (sum, step) => sum + (typeof step === "function" ? 0 : step.bytes.length - step.at),
      0,
    );
  }

  #watchClosing(left: number): void {
    this.#closingTimer = this.#options.clock.after(
      closingWaitNs,
      (before: number) => {
        const now = this.#waitingBytes();
        if (now < before) this.#watchClosing(now);
        else this.#leave(`closed with ${now} bytes that the line did not take in 30 s`);
      },
      left,
    );
  }

  // ---- telnet

  data(bytes: Uint8Array): void {
    this.#hasSpoken = true;
    this.#steps.push({ bytes: bytes.slice(), at: 0 });
  }

  negotiation(command: number, option: number): void {
    this.#hasSpoken = true;
    const isAboutUs = command === Telnet.do || command === Telnet.dont;
    const isOn = command === Telnet.do || command === Telnet.will;
    const state = isAboutUs ? this.#us : this.#them;
    const [yes, no] = isAboutUs ? [Telnet.will, Telnet.wont] : [Telnet.do, Telnet.dont];
    const known = (isAboutUs ? ours : mutual).includes(option);
    // RFC 854: only a change is answered, so that two sides do not talk for ever.
    if (isOn && !known) this.#send(encodeNegotiation(no, option));
    else if (isOn && !state.has(option)) {
      state.add(option);
      this.#send(encodeNegotiation(yes, option));
    } else if (!isOn && state.delete(option)) this.#send(encodeNegotiation(no, option));
    this.#reader.isBinary = this.#them.has(TelnetOption.binary);
    if (option === TelnetOption.comPort && isOn && !this.#hasTold) this.#tellModem();
  }

  subnegotiation(option: number, content: Uint8Array): void {
    this.#hasSpoken = true;
    if (option !== TelnetOption.comPort || content.length === 0) return;
    const [code] = content;
    // A client that was offered the option before it asked for it agrees in silence: its first request says so.
    if (!this.#hasTold && code !== ComPort.notifyModemState) this.#tellModem();
    const value = content.subarray(1);
    // What stops and starts our own sending does not wait behind the client's bytes.
    if (code === ComPort.flowSuspend || code === ComPort.flowResume) {
      this.#isSuspended = code === ComPort.flowSuspend;
      this.#pump();
      return;
    }
    // Bytes that wait are among what is purged.
    if (code === ComPort.purgeData && ((value[0] ?? 0) & 2) !== 0) this.#dropWaiting();
    this.#steps.push(() => this.#request(code, value));
  }

  command(command: number): void {
    this.#hasSpoken = true;
    if (command === Telnet.break) this.#options.onEvent("sent a telnet BREAK: use SET-CONTROL 5 and 6");
  }

  // ---- the port

  writable(): void {
    this.#run();
  }

  readable(): void {
    this.#pump();
  }

  configured(settings: LineSettings): void {
    this.#changesDone++;
    while (this.#answers.length > 0 && this.#answers[0].change <= this.#changesDone)
      this.#answers.shift()?.answer(settings);
    this.#run();
  }

  modemChanged(status: ModemStatus): void {
    const now = modemStateByte(status);
    const change = modemStateChange(now, this.#toldModem);
    const isNews =
      ((now ^ this.#toldModem) & this.#modemMask & 0xf0) !== 0 || (change & this.#modemMask & 0x0f) !== 0;
    this.#toldModem = now;
    if (!isNews) return;
    this.#hasTold = true;
    this.#answer(ComPort.notifyModemState, Uint8Array.of(change & this.#modemMask));
  }

  receiveError(errors: ReceiveErrors): void {
    const state =
      (errors.overrun ? ComPortLine.overrun : 0) |
      (errors.parity ? ComPortLine.parity : 0) |
      (errors.framing ? ComPortLine.framing : 0) |
      (errors.gotBreak ? ComPortLine.break : 0);
    if ((state & this.#lineMask) !== 0)
      this.#answer(ComPort.notifyLineState, Uint8Array.of(state & this.#lineMask));
  }

  /** The device left: a client sees the connection end. */
  hungUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.clock.cancel(this.#closingTimer);
    this.#options.onEvent("lost the port: the device was disconnected");
    this.#options.onEnd();
    this.#stream.close();
  }

  // ---- inside

  #begin(): void {
    for (const option of ours) {
      this.#us.add(option);
      this.#send(encodeNegotiation(Telnet.will, option));
    }
    for (const option of mutual) {
      this.#them.add(option);
      this.#send(encodeNegotiation(Telnet.do, option));
    }
    // Until the other side says otherwise it is a network virtual terminal; what we send is binary all the same (RFC 856).
  }

  #leave(how: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.clock.cancel(this.#closingTimer);
    this.#steps.length = 0;
    this.#options.onEvent(how);
    this.#port.close();
    this.#options.onEnd();
  }

  /** Steps in order, until the port takes no more; a client that is far ahead is not read meanwhile. */
  #run(): void {
    while (this.#steps.length > 0 && !this.#isOver) {
      const step = this.#steps[0];
      if (typeof step === "function") {
        // A request behind a setting waits until that is in force.
        if (this.#answers.length > 0) break;
        this.#steps.shift();
        step();
        continue;
      }
      step.at += this.#port.write(step.bytes, step.at, step.bytes.length - step.at);
      if (step.at < step.bytes.length) break;
      this.#steps.shift();
    }
    if (this.#isClosing) {
      if (this.#steps.length === 0) this.#leave("closed");
      return;
    }
    const mustPause = this.#steps.length >= waitingMaximum;
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#stream.pause();
    else this.#stream.resume();
  }

  #dropWaiting(): void {
    const requests = this.#steps.filter((step) => typeof step === "function");
    this.#steps.splice(0, this.#steps.length, ...requests);
  }

  /** From the port to the client. */
  #pump(): void {
    while (!this.#isOver && (this.#isClosing || (!this.#isFull && !this.#isSuspended))) {
      const count = this.#port.read(this.#block, 0, blockBytes);
      if (count === 0) return;
      if (this.#isClosing) continue;
      this.#send(escapeTelnetData(this.#block.subarray(0, count), this.#us.has(TelnetOption.binary)));
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#isOver && !this.#isClosing && !this.#stream.write(bytes)) this.#isFull = true;
  }

  #answer(code: number, value: Uint8Array): void {
    this.#send(encodeSubnegotiation(TelnetOption.comPort, Uint8Array.of(code + comPortServer, ...value)));
  }

  /**
   * The lines as they stand, without a change. Told once when the client speaks Com Port Control, as the servers in use do: a client that asks for a line before one has changed would know nothing of it.
   */
  #tellModem(): void {
    this.#hasTold = true;
    this.#toldModem = modemStateByte(this.#port.modemStatus());
    this.#answer(ComPort.notifyModemState, Uint8Array.of(this.#toldModem));
  }

  #request(code: number, value: Uint8Array): void {
    const byte = value[0] ?? 0;
    switch (code) {
      case ComPort.signature:
        // With a text it tells us who the client is; without one it asks who we are.
        if (value.length === 0) this.#answer(code, encodeUtf8(`Drydock ${this.#port.name}`));
        return;
      case ComPort.setBaudRate:
        if (value.length === 4)
          this.#set(code, baudChange(getU32be(value, 0)), ({ baudRate }) => u32(baudRate));
        return;
      case ComPort.setDataSize:
        this.#set(code, dataChange(byte), ({ dataBits }) => Uint8Array.of(dataBits));
        return;
      case ComPort.setParity: {
        const parity = comPortParities[byte - 1];
        const shown = (settings: LineSettings) => Uint8Array.of(comPortParities.indexOf(settings.parity) + 1);
        this.#set(code, parity === undefined ? {} : { parity }, shown);
        return;
      }
      case ComPort.setStopSize: {
        const halfStopBits = comPortHalfStopBits[byte - 1];
        const shown = (settings: LineSettings) =>
          Uint8Array.of(comPortHalfStopBits.indexOf(settings.halfStopBits) + 1);
        this.#set(code, halfStopBits === undefined ? {} : { halfStopBits }, shown);
        return;
      }
      case ComPort.setControl:
        this.#control(byte);
        return;
      case ComPort.notifyLineState:
        this.#answer(code, Uint8Array.of(ComPortLine.holdingEmpty | ComPortLine.shiftEmpty));
        return;
      case ComPort.notifyModemState:
        this.#tellModem();
        return;
      case ComPort.setLineStateMask:
        this.#lineMask = byte;
        this.#answer(code, Uint8Array.of(byte));
        return;
      case ComPort.setModemStateMask:
        this.#modemMask = byte;
        this.#answer(code, Uint8Array.of(byte));
        return;
      case ComPort.purgeData:
        if (byte >= 1 && byte <= 3) this.#port.flush((byte & 2) !== 0, (byte & 1) !== 0);
        this.#answer(code, Uint8Array.of(byte));
        return;
      default:
        this.#options.onEvent(`sent an unknown Com Port request ${code}`);
    }
  }

  /** A change of nothing asks; either is answered with what is in force when its turn comes. */
  #set(code: number, change: Partial<LineSettings>, shown: (settings: LineSettings) => Uint8Array): void {
    if (Object.keys(change).length > 0) this.#settings = { ...this.#settings, ...change };
    this.#changes++;
    this.#answers.push({
      change: this.#changes,
      answer: (settings) => {
        // What the driver refused is not asked for again with the next change.
        this.#settings = settings;
        this.#answer(code, shown(settings));
      },
    });
    this.#port.configure(this.#settings);
  }

  #control(value: number): void {
    const code = ComPort.setControl;
    const control = ComPortControl;
    const flowCode = ({ rtsCts, xonXoff }: LineSettings, base: number): Uint8Array =>
      Uint8Array.of(base + (rtsCts ? 3 : xonXoff ? 2 : 1));
    switch (value) {
      case control.noFlow:
      case control.xonXoff:
      case control.hardware: {
        const change = { rtsCts: value === control.hardware, xonXoff: value === control.xonXoff };
        this.#set(code, change, (settings) => flowCode(settings, 0));
        return;
      }
      case control.noInboundFlow:
      case control.inboundXonXoff:
      case control.inboundHardware: {
        // A port has flow control both ways or not at all.
        const change = {
          rtsCts: value === control.inboundHardware,
          xonXoff: value === control.inboundXonXoff,
        };
        this.#set(code, change, (settings) => flowCode(settings, control.askInboundFlow));
        return;
      }
      case control.breakOn:
      case control.breakOff:
        this.#isBreaking = value === control.breakOn;
        this.#port.setBreak(this.#isBreaking);
        break;
      case control.dtrOn:
      case control.dtrOff:
        this.#dtr = value === control.dtrOn;
        this.#port.setModemControl(this.#dtr, this.#rts);
        break;
      case control.rtsOn:
      case control.rtsOff:
        this.#rts = value === control.rtsOn;
        this.#port.setModemControl(this.#dtr, this.#rts);
        break;
      default:
        break;
    }
    if (value >= control.askBreak && value <= control.breakOff)
      this.#answer(code, Uint8Array.of(this.#isBreaking ? control.breakOn : control.breakOff));
    else if (value >= control.askDtr && value <= control.dtrOff)
      this.#answer(code, Uint8Array.of(this.#dtr ? control.dtrOn : control.dtrOff));
    else if (value >= control.askRts && value <= control.rtsOff)
      this.#answer(code, Uint8Array.of(this.#rts ? control.rtsOn : control.rtsOff));
    else {
      // DCD, DTR and DSR flow control (17 to 19) are not there: answered with what is.
      const base = value === control.askInboundFlow || value === 18 ? control.askInboundFlow : 0;
      this.#answer(code, flowCode(this.#settings, base));
    }
  }
}

/** 0 asks. */
function baudChange(baudRate: number): Partial<LineSettings> {
  return baudRate === 0 ? {} : { baudRate };
}

function dataChange(bits: number): Partial<LineSettings> {
  return bits >= 5 && bits <= 8 ? { dataBits: bits as LineSettings["dataBits"] } : {};
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putU32be(bytes, 0, value);
  return bytes;
}
