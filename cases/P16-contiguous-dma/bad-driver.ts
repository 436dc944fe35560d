// P16, wrong: the ring's CPU address goes into the hardware's list.

import type { RingFault } from "./audio-ring-driver.ts";

/** What remains when contiguous memory cannot be asked for and nobody knows PrepareForDMA. */
export const likeliestFault: RingFault = "cpu-address";
