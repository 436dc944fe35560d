// USB speeds, numbered as DriverKit numbers them, with what each costs on the wire.

/** Values of tIOUSBHostConnectionSpeed (driverkit-families.md §1.5). */
export const UsbSpeed = {
  none: 0,
  full: 1,
  low: 2,
  high: 3,
  super: 4,
  superPlus: 5,
  superPlusBy2: 6,
} as const;
export type UsbSpeed = (typeof UsbSpeed)[keyof typeof UsbSpeed];

/** Raw signalling rate in bits per second. */
export const usbBitsPerSecond: Record<UsbSpeed, number> = {
  0: 0,
  1: 12_000_000,
  2: 1_500_000,
  3: 480_000_000,
  4: 5_000_000_000,
  5: 10_000_000_000,
  6: 20_000_000_000,
};

/**
 * For interfaces that do not tell the speed: a bulk endpoint's packets are 512 bytes at high speed and 1024 above (USB
 * 2.0 §5.8.3, USB 3.2 §8.12.1.2), less at full speed. Low and full speed look the same: full is answered.
 */
export function guessUsbSpeed(
  endpoints: Iterable<{ readonly isBulk: boolean; readonly packetSize: number }>,
): UsbSpeed {
  let speed: UsbSpeed = UsbSpeed.full;
  for (const { isBulk, packetSize } of endpoints) {
    if (isBulk && packetSize >= 1024) return UsbSpeed.super;
    if (packetSize > 64 && (isBulk || packetSize > 1023)) speed = UsbSpeed.high;
  }
  return speed;
}
