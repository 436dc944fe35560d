// Functions whose configuration space lies, under the family: not published, or their interrupts refused in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { IOReturns } from "../base/io-return.ts";
import { Random } from "../base/random.ts";
import { PciFunctionModel } from "../devices/pci-function-model.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { kIOInterruptTypePCIMessagedX } from "../runtime/dispatch-source.ts";
import { IOError } from "../runtime/io-error.ts";
import { IOService } from "../runtime/service.ts";
import { PciRig } from "./pci-rig.ts";

/** A function of one small BAR whose answers to configuration reads a test may change. */
class Liar extends PciFunctionModel {
  readonly isEngineOn = false;
  readonly #lie: (offset: number, value: number) => number;

  constructor(
    msiX: { readonly vectors: number; readonly bar: number; readonly tableOffset: number },
    lie: (offset: number, value: number) => number = (_offset, value) => value,
  ) {
    super({
      vendorId: 0x1d1d,
      deviceId: 0x0bad,
      classCode: 0xff0000,
      bars: [{ index: 0, kind: "memory64", lengthBytes: 0x1000 }],
      msiX: { ...msiX, pendingOffset: 0x800 },
    });
    this.#lie = lie;
  }

  /** Each byte may be another: sizes and alignments do not matter to the lie. */
  override configRead(offset: number, sizeBytes: number): number {
    let value = 0;
    for (let at = sizeBytes - 1; at >= 0; at--)
      value = value * 256 + (this.#lie(offset + at, super.configRead(offset + at, 1)) & 0xff);
    return value;
  }

  protected override registerRead(): number {
    return 0;
  }

  protected override registerWrite(): void {}

  protected override functionReset(): void {}

  protected override linkLost(): void {}
}

async function plugged(device: Liar): Promise<PciRig> {
  const rig = new PciRig({ seed: 1, turn: hostTurn, profile: platformProfile("open") });
  rig.pci.bus.plugIn(device, 1);
  await rig.machine.run(2e9);
  assert.equal(rig.machine.failure, null);
  assert.deepEqual(rig.machine.crashes, []);
  return rig;
}

for (const [what, msiX, lie, status, words] of [
  [
    "a table past the end of its BAR",
    { vectors: 64, bar: 0, tableOffset: 0xf00 },
    undefined,
    "kIOReturnNoMemory",
    /up to 0x1300 in BAR 0, which ends at 0x1000/,
  ],
  [
    "2048 vectors in a small BAR",
    { vectors: 2048, bar: 0, tableOffset: 0 },
    undefined,
    "kIOReturnNoMemory",
    /up to 0x8000 in BAR 0/,
  ],
  [
    "a table in a BAR that is not there",
    { vectors: 4, bar: 3, tableOffset: 0 },
    undefined,
    "kIOReturnNoMemory",
    /in BAR 3, which is not there/,
  ],
  // The low three bits of the table's word say which BAR: 7 is none.
  [
    "a table in BAR 7",
    { vectors: 4, bar: 0, tableOffset: 0 },
    (at: number, value: number) => (at === 0xb4 ? 7 : value),
    "kIOReturnUnsupported",
    /table in BAR 7/,
  ],
] as const)
  test(`MSI-X with ${what}: ConfigureInterrupts says so, nothing is written`, async () => {
    const rig = await plugged(new Liar(msiX, lie));
    const { family, machine } = rig;
    const [device] = family.devices;
    const client = machine.publish({ kernelClass: "IOService" }, (context) => new IOService(context));
    await machine.perform(async () => {
      await device.open(client);
      await assert.rejects(
        device.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1),
        (error: unknown) => {
          assert.ok(error instanceof IOError);
          assert.equal(error.code, IOReturns[status]);
          assert.match(error.message, words);
          return true;
        },
      );
    });
    assert.equal(device.interruptType(0), null);
  });

test("lists that come back, point into the header, or are garbage: not published, the reason with its offset", async () => {
  const msiX = { vectors: 4, bar: 0, tableOffset: 0 };
  const lies: readonly (readonly [string, (at: number, value: number) => number, RegExp])[] = [
    ["a circle", (at, value) => (at === 0xb1 ? 0x40 : value), /a circle/],
    ["an entry that is its own next", (at, value) => (at === 0x41 ? 0x40 : value), /a circle/],
    ["a pointer into the header", (at, value) => (at === 0x51 ? 0x10 : value), /points to 0x10/],
    [
      "an extended circle",
      (at, value) => (at === 0x102 ? 0x01 : at === 0x103 ? 0x10 : at === 0x100 ? 1 : value),
      /circle/,
    ],
  ];
  for (const [what, lie, words] of lies) {
    const rig = await plugged(new Liar(msiX, lie));
    assert.deepEqual(rig.family.devices, [], what);
    assert.match(rig.family.failures.map(({ reason }) => reason).join("; "), words, what);
  }
});

test("any garbage in configuration space ends in a published function or a reason, never in anything else", async () => {
  const random = new Random(15);
  for (let round = 0; round < 40; round++) {
    const seed = random.next32();
    const noise = new Random(seed);
    const bytes = Uint8Array.from({ length: 4096 }, () => noise.below(256));
    // The lie begins where enumeration has sized the BARs.
    let isUp = false;
    const rig = await plugged(
      new Liar({ vectors: 4, bar: 0, tableOffset: 0 }, (at, value) => {
        isUp ||= at >= 0x40;
        return isUp && (at < 0x10 || at >= 0x28) ? bytes[at] : value;
      }),
    );
    const outcomes = rig.family.devices.length + rig.family.failures.length + rig.pci.bus.failures.length;
    assert.equal(outcomes, 1, `noise of seed ${seed}`);
  }
});
