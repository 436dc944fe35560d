// A contract's list of checks: whoever implements the port runs it against his own.

import { namesLimitedBy } from "@drydock/core/ports/contract";
import { usbHostContract } from "@drydock/core/ports/usb-host.contract";

console.log(usbHostContract.length > 20, namesLimitedBy(usbHostContract, "streams").length > 0);
// prints:
// true true
