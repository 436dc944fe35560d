// What the NVMe model's controller is built for: sizes that its registers, its identify page and its commands share.

export const nvmeQueueEntriesMaximum = 1024;
export const nvmeQueuePairsMaximum = 16;
/** Largest transfer: 32 pages of 4 KiB. */
export const nvmeTransferPages = 32;
