// What sockets bring is read into one block that is used again, where Node can; else in Node's own, fresh each time.

import type { Socket } from "node:net";

/**
 * As much as a Unix socket holds by default, and a fair part of a second-level cache. One for all: what is read is taken within
 * the call that hands it over, and no other read happens meanwhile.
 */
const blockBytes = 256 * 1024;

/** Takes `count` bytes from the front of `block`, which holds the next ones as soon as the call is over. */
type TakesBlock = (count: number, block: Uint8Array) => void;

/** What Node's `onread` sets up (net.Socket, documented for sockets that connect), which those that are accepted do not take. */
interface Inside {
  readonly _handle?: { useUserBuffer?: (block: Uint8Array) => void } | null;
  [name: symbol]: unknown;
}

let block: Uint8Array | null = null;

/** The three fields in which `onread` is kept, or null: this Node keeps it otherwise. */
function fieldsOf(socket: Inside): readonly symbol[] | null {
  const own = Object.getOwnPropertySymbols(socket);
  const fields = ["kBuffer", "kBufferCb", "kBufferGen"].flatMap(
    (name) => own.find(({ description }) => description === name) ?? [],
  );
  return fields.length === 3 && fields.every((field) => socket[field] === null) ? fields : null;
}

/**
 * From here on `take` is called instead of the event `data`. False: this socket, or this Node, has no such way, and nothing
 * was changed. Each fresh buffer of Node's is 64 KiB that the collector has to take away again: most of what a write to a
 * disk cost, and half of a stream of sound.
 */
export function readIntoBlock(socket: Socket, take: TakesBlock): boolean {
  const inside = socket as unknown as Inside;
  const handle = inside._handle;
  if (typeof handle?.useUserBuffer !== "function") return false;
  const fields = fieldsOf(inside);
  if (fields === null) return false;
  block ??= new Uint8Array(blockBytes);
  const [buffer, callback] = fields;
  inside[buffer] = block;
  inside[callback] = take;
  handle.useUserBuffer(block);
  return true;
}
