// The ways by which devices of a rig's bus reach its machine, and by which rigs are tried.

import { overUsbip } from "./over-usbip.ts";
import { overXhci } from "./over-xhci.ts";

export const usbPaths = { bus: null, usbip: overUsbip, xhci: overXhci } as const;
