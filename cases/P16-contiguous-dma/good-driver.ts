// P16, right: any memory, an IODMACommand with 32 address bits, every segment in the list, CompleteDMA last.

import type { RingFault } from "./audio-ring-driver.ts";

export const noFault: RingFault | null = null;
