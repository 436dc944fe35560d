// P07, right: rules about what a device is, from its descriptors, with everything else refused.

import { parsePolicy } from "@drydock/core/codec/usb-policy/usb-policy";

/** Nothing is allowed. */
export const denyEverything = parsePolicy("");

/** A keyboard and nothing with it; disks that may be read; everything else is refused. */
export const readersOnlyText = `# Keyboards, when that is all they are.
allow with-interface equals { 03:01:01 }
# Disks. A disk that is also a keyboard is neither.
allow with-interface match-all { 08:06:50 08:06:62 }
#: read-only with-interface match-all { 08:06:50 08:06:62 }
# Everything else, by name, so that the log says so.
block with-interface one-of { 01:*:* 02:*:* 0a:*:* e0:*:* }
block
`;

export const readersOnly = parsePolicy(readersOnlyText);
