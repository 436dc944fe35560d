// A pseudo-terminal as core sees it: programs open it, set it, write to it and read from it.

import type { LineSettings } from "./serial.ts";

/** Told by the terminal. Never called from inside a call of the port. */
export interface TerminalClient {
  /** A program opened the slave side (the first one, or again after the last close). */
  opened(): void;
  /** The last program closed it. */
  closed(): void;
  /** A program changed the line settings. Comes before bytes written after the change. */
  settingsChanged(settings: LineSettings): void;
  /** Programs wrote bytes; valid during the call. Answers how many were taken; the rest is offered again after `resume`. */
  input(bytes: Uint8Array, offset: number, length: number): number;
  /** `write` may take more again. */
  writable(): void;
}

/**
 * Implemented by a host (`@drydock/node/pty`). Pseudo-terminals have no modem lines and do not show a break, so there
 * are no calls for them: DTR follows open and close.
 */
export interface TerminalPort {
  /** What programs open, for example "/dev/pts/4". */
  readonly path: string;
  connect(client: TerminalClient): void;
  /** Bytes for programs to read. Answers how many were taken; after less than all, `writable` follows. */
  write(bytes: Uint8Array, offset: number, length: number): number;
  /** Offer input again that was not taken. */
  resume(): void;
  /** Ends it: programs see a hang-up. Idempotent. */
  hangUp(): void;
}
