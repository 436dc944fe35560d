// A machine with nothing plugged in: its scheduler has virtual time, its log what happened.

import { IOReturns } from "@drydock/core/base/io-return";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { IOError } from "@drydock/core/runtime/io-error";
import { Machine } from "@drydock/core/runtime/machine";
import { hostTurn } from "@drydock/node/host-turn";

const machine = new Machine({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
machine.scheduler.after(2e9, () => console.log("two seconds of virtual time"), undefined);
console.log((await machine.run()).reason);
console.log(String(new IOError(IOReturns.kIOReturnNoDevice, "IOUSBHostInterface.deviceRequest", "", 2e9)));
// prints:
// two seconds of virtual time
// idle
// IOError: IOUSBHostInterface.deviceRequest failed with kIOReturnNoDevice (0xe00002c0) at 2 s
