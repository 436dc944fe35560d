// Runs inside the Linux guest: our FTDI driver on a device of the guest, through libusb; sends, expects the same back.

import { platformProfile } from "@drydock/core/platform/platform-profile";
import { SerialRig } from "@drydock/core/rigs/serial-rig";
import { SerialSession } from "@drydock/core/rigs/serial-session";
import { LibusbImporter } from "@drydock/core/transports/libusb/libusb-importer";
import { hostTurn } from "@drydock/node/host-turn";
import { Libusb } from "@drydock/node/libusb";
import { waitFor } from "@drydock/node/libusb-bench";
import { LiveRunner } from "@drydock/node/live-runner";

const [idVendor, idProduct, totalBytes] = process.argv.slice(2).map(Number);
const pieceBytes = 256;

const rig = new SerialRig({
  seed: 1,
  turn: hostTurn,
  profile: platformProfile("macos15"),
  timing: "none",
  trace: false,
  devices: [],
});
const { machine } = rig;
const runner = new LiveRunner(machine.scheduler);
void runner.start();
const libusb = await Libusb.load();
const device = libusb
  .devices(machine.scheduler)
  .find((found) => found.idVendor === idVendor && found.idProduct === idProduct);
if (device === undefined) throw new Error("the device is not there");
const problems: string[] = [];
let hasEnded = false;
const importer = new LibusbImporter({
  clock: machine.scheduler,
  device,
  onAttach: (port) => rig.usb.attach(port),
  onProblem: (reason) => problems.push(reason),
  onEnd: () => {
    hasEnded = true;
  },
});
const until = (what: string, isTrue: () => boolean) =>
  waitFor(`${what} (${problems.join("; ")})`, () => (isTrue() ? true : undefined));
await until("our driver", () => rig.ports.length > 0);
const session = new SerialSession(rig.ports[0]);
await until("an open port", () => rig.ports[0].isReady);
session.configure({ baudRate: 115200 });
const sent: number[] = [];
while (sent.length < totalBytes) {
  const piece = Uint8Array.from({ length: pieceBytes }, (_, index) => (sent.length * 7 + index * 13) & 255);
  sent.push(...piece);
  session.send(piece);
  // The device's ring is small, and nothing tells its far end to wait.
  await until("the echo", () => session.received.length >= sent.length);
}
importer.stop();
await until("the device given back", () => hasEnded && session.hangUps === 1);
await runner.stop();
const isSame = sent.every((byte, index) => session.received[index] === byte);
const answer = { sent: sent.length, received: session.received.length, isSame, problems };
process.stdout.write(`result ${JSON.stringify({ ...answer, failure: machine.failure?.text ?? null })}\n`);
process.exit(0);
