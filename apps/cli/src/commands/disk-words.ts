// What the disk commands have in common: ways to a disk, and sizes of blocks.

import { type Kind, wholeNumber } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const layers = ["uas", "bulk-only", "none"] as const;
export const usbScsiLayers = ["uas", "bulk-only"] as const;
/** The last two are host adapters on PCI: MegaRAID, and the small one of our own design. */
export const scsiLayers = [...usbScsiLayers, "raid", "ring-hba"] as const;

const sizes = wholeNumber({ from: 512, to: 4096, unit: "bytes", placeholder: "bytes", sample: 4096 });
export const blockBytes: Kind<number> = {
  ...sizes,
  takes: "512, 1024, 2048 or 4096",
  read: async (word) => {
    const value = await sizes.read(word);
    if ((value & (value - 1)) !== 0) throw new UsageError(`takes 512, 1024, 2048 or 4096, not "${value}"`);
    return value;
  },
  mistakes: (place) => [...sizes.mistakes(place), { why: "out of range", text: "520" }],
};
