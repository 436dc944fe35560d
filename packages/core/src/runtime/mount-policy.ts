// A disk as a policy lets it be mounted: not at all, read only, or as it is. Same type in, same type out.

import type { PolicyDecision } from "../platform/usb-policy.ts";
import { type BlockClient, type BlockGeometry, type BlockPort, BlockSubmit } from "../ports/block.ts";

/** Null: the mount is refused. Mount approval does not keep anybody from the raw device. */
export function mountAs(port: BlockPort, decision: PolicyDecision): BlockPort | null {
  if (decision.target !== "allow") return null;
  return decision.readOnly === null ? port : new ReadOnlyBlockPort(port);
}

/** Whatever would change the disk is refused with `unsupported`, as by a disk that is read only. */
class ReadOnlyBlockPort implements BlockPort {
  readonly geometry: BlockGeometry;
  readonly slotCount: number;
  readonly #port: BlockPort;

  constructor(port: BlockPort) {
    this.geometry = { ...port.geometry, isReadOnly: true, canTrim: false, canWriteZeroes: false };
    this.slotCount = port.slotCount;
    this.#port = port;
  }

  connect(client: BlockClient): void {
    this.#port.connect(client);
  }

  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): BlockSubmit {
    return this.#port.read(slot, block, blocks, buffer, offset);
  }

  write(): BlockSubmit {
    return BlockSubmit.unsupported;
  }

  flush(slot: number): BlockSubmit {
    return this.#port.flush(slot);
  }

  trim(): BlockSubmit {
    return BlockSubmit.unsupported;
  }

  writeZeroes(): BlockSubmit {
    return BlockSubmit.unsupported;
  }
}
