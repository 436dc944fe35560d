// P18, wrong: the likeliest of the six, a scatter entry that names the controller's own memory.

import type { ZeroDmaFault } from "./faults.ts";

/** Fits "the kext works, the same address is delivered, the hardware says six bytes" best. */
export const likeliestFault: ZeroDmaFault = "local-address";
