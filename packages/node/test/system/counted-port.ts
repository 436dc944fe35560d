// A disk whose accepted requests are counted: how a bench in real time knows that all of it is over.

import { type BlockPort, BlockSubmit } from "@drydock/core/ports/block";

/** Counts what was accepted, so that a bench knows when all of it is over. */
export function counted(port: BlockPort, onAccepted: () => void): BlockPort {
  const note = (submitted: BlockSubmit): BlockSubmit => {
    if (submitted === BlockSubmit.accepted) onAccepted();
    return submitted;
  };
  return {
    geometry: port.geometry,
    slotCount: port.slotCount,
    connect: (client) => port.connect(client),
    read: (...args) => note(port.read(...args)),
    write: (...args) => note(port.write(...args)),
    flush: (slot) => note(port.flush(slot)),
    trim: (...args) => note(port.trim(...args)),
    writeZeroes: (...args) => note(port.writeZeroes(...args)),
  };
}
