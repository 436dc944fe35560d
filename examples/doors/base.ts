// A seed is all the chance that there is, and an IOReturn has a name.

import { formatReturn, IOReturns } from "@drydock/core/base/io-return";
import { Random } from "@drydock/core/base/random";
import { formatNs, millisecond } from "@drydock/core/base/units";

const [first, second] = [new Random(7), new Random(7)];
console.log(first.below(1000) === second.below(1000), first.fork("bus").chance(1));
console.log(formatReturn(IOReturns.kIOReturnNotPermitted), formatNs(5 * millisecond));
// prints:
// true true
// 0xe00002e2 5 ms
