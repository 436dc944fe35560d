// Would this personality match that interface, and if not, which key is in the way?

import { matchPersonality } from "@drydock/core/platform/matching";
import { platformProfile } from "@drydock/core/platform/platform-profile";

const subject = {
  classChain: ["IOUSBHostInterface", "IOService"],
  name: "IOUSBHostInterface",
  properties: { idVendor: 0x1209, idProduct: 0x0d01, bConfigurationValue: 1, bInterfaceNumber: 0 },
};
const personality = { IOProviderClass: "IOUSBHostInterface", idVendor: 0x1209, idProduct: 0x0d01 };
console.log(matchPersonality(personality, subject).reason);
console.log(platformProfile("macos15").name);
// prints:
// idVendor + idProduct is no legal key combination for an IOUSBHostInterface
// macOS 15
