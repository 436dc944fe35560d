// A file that somebody posted: what it is, what went wrong, and who must act.

import { diagnose } from "@drydock/doctor/diagnose";

const text =
  "kernel: (x.dext) DK: Lamp-0x100000a1b:UC failed userclient-access check, needed bundle ID org.example.lamp\n";
const { answers } = await diagnose([{ name: "log.txt", chunks: () => [new TextEncoder().encode(text)] }]);
console.log(answers[0]?.title, answers[0]?.who);
// prints:
// The app that opened the driver carries no userclient-access key you
