// Ten thousand SETUP packets that no host would send, for the test of any device model.

import type { Random } from "../base/random.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";

/**
 * Sends `count` random control transfers and data transactions. A model must answer each with bytes, NAK or STALL
 * within the length asked for; anything else is described in the answer, null when all was lawful.
 */
export function sendHostileSetups(device: UsbDevicePort, random: Random, count: number): string | null {
  const buffer = new Uint8Array(4096);
  for (let round = 0; round < count; round++) {
    const packet = Uint8Array.from({ length: 8 }, () => random.below(256));
    // Half of them are close to real ones.
    if (random.chance(0.5)) packet[0] = [0x00, 0x80, 0x21, 0xa1, 0x40, 0xc0, 0x02, 0x82][random.below(8)];
    if (random.chance(0.5)) packet[1] = random.below(16);
    if (random.chance(0.7)) packet[7] = random.below(4);
    // Never unconfigured by chance for long: the interesting code is behind a configuration.
    if (round % 10 === 0) packet.set([0x00, 0x09, 0x01, 0, 0, 0, 0, 0]);
    device.setup(packet);
    const length = Math.min(buffer.length, packet[6] | (packet[7] << 8));
    const isIn = (packet[0] & 0x80) !== 0;
    for (const answer of [
      isIn ? device.in(0x80, buffer, 0, length) : device.out(0x00, buffer, 0, length),
      isIn ? device.out(0x00, buffer, 0, 0) : device.in(0x80, buffer, 0, 0),
      device.in(0x80 | random.below(16), buffer, 0, 64),
      device.out(random.below(16), buffer, 0, random.below(64)),
    ]) {
      if (!Number.isInteger(answer) || answer < -2 || answer > buffer.length) {
        return `round ${round}: SETUP ${[...packet].join(" ")} answered ${answer}`;
      }
    }
  }
  return null;
}
