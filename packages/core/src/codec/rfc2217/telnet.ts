// Telnet on the wire: RFC 854 (commands, IAC), RFC 855 (options), RFC 856 (binary). Bytes to events, and back.

export const Telnet = {
  endOfSubnegotiation: 240,
  noOperation: 241,
  break: 243,
  areYouThere: 246,
  subnegotiation: 250,
  will: 251,
  wont: 252,
  do: 253,
  dont: 254,
  interpretAsCommand: 255,
} as const;

export const TelnetOption = { binary: 0, echo: 1, suppressGoAhead: 3, comPort: 44 } as const;

/** Longer subnegotiations are cut: RFC 2217 has none above a signature. */
const subnegotiationMaximum = 1024;

const iac = Telnet.interpretAsCommand;
const carriageReturn = 13;

/** What the bytes of the other side meant. Called during `push`. */
export interface TelnetListener {
  /** Data, unescaped, valid during the call. */
  data(bytes: Uint8Array): void;
  /** WILL, WONT, DO, DONT. */
  negotiation(command: number, option: number): void;
  /** The content of SB ... SE, without the option. */
  subnegotiation(option: number, content: Uint8Array): void;
  /** BREAK and the other commands of two bytes. */
  command(command: number): void;
}

type State = "data" | "command" | "option" | "content" | "content-command";

/** Cut anywhere: a state is kept between pushes. */
export class TelnetReader {
  readonly #listener: TelnetListener;
  /** While the other side does not send binary, CR NUL is CR (RFC 854, "The NVT printer and keyboard"). */
  isBinary = false;
  #state: State = "data";
  #command = 0;
  #option = -1;
  #content: number[] = [];
  #wasCarriageReturn = false;

  constructor(listener: TelnetListener) {
    this.#listener = listener;
  }

  push(bytes: Uint8Array): void {
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (this.#state !== "data") {
        this.#step(byte);
        from = at + 1;
        continue;
      }
      const isPadding = this.#wasCarriageReturn && byte === 0 && !this.isBinary;
      this.#wasCarriageReturn = byte === carriageReturn;
      if (byte !== iac && !isPadding) continue;
      if (at > from) this.#listener.data(bytes.subarray(from, at));
      from = at + 1;
      if (byte === iac) this.#state = "command";
    }
    if (this.#state === "data" && bytes.length > from) this.#listener.data(bytes.subarray(from));
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "command":
        this.#takeCommand(byte);
        return;
      case "option":
        this.#state = "data";
        if (this.#command === Telnet.subnegotiation) {
          this.#state = "content";
          this.#option = byte;
          this.#content = [];
        } else this.#listener.negotiation(this.#command, byte);
        return;
      case "content":
        if (byte === iac) this.#state = "content-command";
        else this.#keep(byte);
        return;
      default:
        // An escaped FFh goes on; SE ends; anything else is a subnegotiation that was never ended.
        if (byte === iac) {
          this.#keep(byte);
          this.#state = "content";
          return;
        }
        this.#state = "data";
        if (byte === Telnet.endOfSubnegotiation)
          this.#listener.subnegotiation(this.#option, Uint8Array.from(this.#content));
        else this.#takeCommand(byte);
    }
  }

  #takeCommand(byte: number): void {
    this.#state = "data";
    if (byte === iac) this.#listener.data(Uint8Array.of(iac));
    else if (byte >= Telnet.subnegotiation) {
      this.#command = byte;
      this.#state = "option";
    } else this.#listener.command(byte);
  }

  #keep(byte: number): void {
    if (this.#content.length < subnegotiationMaximum) this.#content.push(byte);
  }
}

/** Data for the wire: FFh twice, and CR NUL for CR while we do not send binary. */
export function escapeTelnetData(bytes: Uint8Array, isBinary: boolean): Uint8Array {
  let more = 0;
  for (const byte of bytes) if (byte === iac || (byte === carriageReturn && !isBinary)) more++;
  if (more === 0) return bytes.slice();
  const escaped = new Uint8Array(bytes.length + more);
  let at = 0;
  for (const byte of bytes) {
    escaped[at++] = byte;
    if (byte === iac) escaped[at++] = iac;
    else if (byte === carriageReturn && !isBinary) escaped[at++] = 0;
  }
  return escaped;
}

export function encodeNegotiation(command: number, option: number): Uint8Array {
  return Uint8Array.of(iac, command, option);
}

export function encodeSubnegotiation(option: number, content: Uint8Array): Uint8Array {
  const head = [iac, Telnet.subnegotiation, option];
  return Uint8Array.of(...head, ...escapeTelnetData(content, true), iac, Telnet.endOfSubnegotiation);
}
