// Audio functions as devices describe them: QEMU's headset, ours of class 2.0, and descriptors that lie.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../base/random.ts";
import { viewConfiguration } from "../usb/configuration-view.ts";
import { encodeConfiguration, parseConfiguration, type SettingPlan } from "../usb/descriptors.ts";
import { UsbSpeed } from "../usb/usb-speed.ts";
import { viewAudioFunction } from "./audio-function.ts";
import { decodeFeedback } from "./uac.ts";
import {
  Audio2Access,
  ClockKind,
  decodeRanges,
  encodeAudio2Header,
  encodeClockSource,
  encodeFeature2Unit,
  encodeFormat2TypeI,
  encodeInput2Terminal,
  encodeOutput2Terminal,
  encodeRanges,
  encodeStream2General,
} from "./uac2.ts";

const place = { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 };
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const audio = (bInterfaceNumber: number, bInterfaceSubClass: number, bAlternateSetting = 0) => ({
  bInterfaceNumber,
  bAlternateSetting,
  bInterfaceClass: 1,
  bInterfaceSubClass,
  bInterfaceProtocol: 0,
});

/** Audio 1.0: a header of one stream, terminals, and a feature unit, in the layout of QEMU's usb-audio. */
function classOne(units: readonly Uint8Array[], format: Uint8Array): SettingPlan[] {
  return [
    { ...audio(0, 1), extra: [hex("09 24 01 00 01 2b 00 01 01"), ...units], endpoints: [] },
    { ...audio(1, 2), endpoints: [] },
    {
      ...audio(1, 2, 1),
      extra: [hex("07 24 01 01 00 01 00"), format],
      endpoints: [
        {
          bEndpointAddress: 0x01,
          bmAttributes: 0x0d,
          wMaxPacketSize: 192,
          bInterval: 1,
          audio: { bRefresh: 0, bSynchAddress: 0 },
        },
      ],
    },
  ];
}
const qemuUnits = [
  hex("0c 24 02 01 01 01 00 02 03 00 00 00"),
  hex("0d 24 06 02 01 02 01 00 02 00 02 00 00"),
  hex("09 24 03 03 01 03 00 02 00"),
];
const oneRate = hex("0b 24 02 01 02 02 10 01 80 bb 00");

describe("what a function says", () => {
  test("QEMU's usb-audio: one stream of 48 kHz, mute for all, volume for each channel", () => {
    const view = viewAudioFunction(
      parseConfiguration(encodeConfiguration(place, classOne(qemuUnits, oneRate))),
      0,
    );
    assert.ok(view !== null);
    const [stream] = view.streams;
    assert.deepEqual(
      [view.version, stream.alternate, stream.channels, stream.sampleBytes, stream.rates, stream.sync],
      [1, 1, 2, 2, [48_000], "synchronous"],
    );
    const [feature] = view.featuresOf(stream.terminal);
    assert.deepEqual(
      feature.channels.map(({ mute, volume }) => [mute !== 0, volume !== 0]),
      [
        [true, false],
        [false, true],
        [false, true],
      ],
    );
    assert.equal(view.plugOf(stream.terminal), 0x0301);
    assert.equal(stream.feedback, null);
  });

  test("a format with a range of rates, and one that names more than it has bytes for", () => {
    const of = (format: Uint8Array) =>
      viewAudioFunction(parseConfiguration(encodeConfiguration(place, classOne(qemuUnits, format))), 0)
        ?.streams[0];
    const range = of(hex("0e 24 02 01 02 02 10 00 40 1f 00 00 77 01"));
    assert.deepEqual(range?.rateRange, { minimum: 8000, maximum: 96_000 });
    assert.deepEqual(of(hex("0b 24 02 01 02 02 10 ff 80 bb 00"))?.rates, [48_000]);
  });

  test("class 2.0: streams of the association, the clock behind each terminal", () => {
    const write = Audio2Access.write;
    const units = [
      encodeClockSource(6, ClockKind.programmable, write, Audio2Access.read),
      encodeInput2Terminal(1, 0x0101, 6, 2),
      encodeFeature2Unit(2, 1, [write, write << 2, write << 2]),
      encodeOutput2Terminal(3, 0x0301, 2, 6),
    ];
    const settings: SettingPlan[] = [
      { ...audio(0, 1), extra: [encodeAudio2Header(units), ...units], endpoints: [] },
      { ...audio(1, 2), endpoints: [] },
      {
        ...audio(1, 2, 1),
        extra: [encodeStream2General(1, 2), encodeFormat2TypeI(4, 24)],
        endpoints: [
          { bEndpointAddress: 0x01, bmAttributes: 0x05, wMaxPacketSize: 104, bInterval: 1 },
          { bEndpointAddress: 0x81, bmAttributes: 0x11, wMaxPacketSize: 4, bInterval: 4 },
        ],
      },
    ];
    const view = viewAudioFunction(parseConfiguration(encodeConfiguration(place, settings)), 0);
    const [stream] = view?.streams ?? [];
    assert.deepEqual(
      [view?.version, stream.bits, stream.rates, stream.feedback?.descriptor.bEndpointAddress],
      [2, 24, null, 0x81],
    );
    assert.deepEqual(view?.clockOf(1), { id: 6, frequency: 3, valid: 1 });
    assert.deepEqual(view?.featuresOf(1)[0].channels[1], { mute: 0, volume: 3 });
  });

  test("units in a circle, of themselves, and of units that are not there end the walk", () => {
    const circle = [
      qemuUnits[0],
      hex("0d 24 06 02 04 02 01 00 02 00 02 00 00"),
      hex("0d 24 06 04 02 02 01 00 02 00 02 00 00"),
      hex("09 24 03 03 01 03 00 04 00"),
    ];
    for (const units of [circle, [qemuUnits[0], hex("09 24 03 03 01 03 00 03 00")], [qemuUnits[2]]]) {
      const view = viewAudioFunction(
        parseConfiguration(encodeConfiguration(place, classOne(units, oneRate))),
        0,
      );
      assert.deepEqual(view?.featuresOf(1), []);
      assert.equal(view?.clockOf(1), null);
    }
  });

  test("2000 configurations with wrong bytes are viewed without a word", () => {
    const random = new Random(20);
    const right = encodeConfiguration(place, classOne(qemuUnits, oneRate));
    let seen = 0;
    for (let run = 0; run < 2000; run++) {
      const bytes = right.slice();
      for (let count = 1 + random.below(4); count > 0; count--)
        bytes[9 + random.below(bytes.length - 9)] = random.below(256);
      const { configuration } = viewConfiguration(bytes, UsbSpeed.full);
      const view = viewAudioFunction(configuration, 0);
      for (const { terminal } of view?.streams ?? []) {
        view?.featuresOf(terminal);
        view?.clockOf(terminal);
        view?.plugOf(terminal);
        seen++;
      }
    }
    assert.ok(seen > 500, `${seen}`);
  });
});

describe("numbers that a device says", () => {
  // Audio 2.0 §5.2.3.3: wNumSubRanges and triples.
  test("ranges of a clock and of a volume; a count that lies is refused with the offset", () => {
    const clock = hex("0200 80bb0000 80bb0000 00000000 00770100 00ee0200 00770100");
    assert.deepEqual(decodeRanges(clock, 4), [
      { minimum: 48_000, maximum: 48_000, resolution: 0 },
      { minimum: 96_000, maximum: 192_000, resolution: 96_000 },
    ]);
    assert.deepEqual([...encodeRanges(decodeRanges(clock, 4), 4)], [...clock]);
    assert.deepEqual(decodeRanges(hex("0100 00c4 0000 0001"), 2), [
      { minimum: -15_360, maximum: 0, resolution: 256 },
    ]);
    assert.throws(() => decodeRanges(hex("ffff 80bb0000 80bb0000 00000000"), 4), /0 left \(at byte 14\)/);
    assert.throws(() => decodeRanges(hex("0100 0000 00c4 0001"), 2), /MIN 0 is above MAX -15360/);
    assert.throws(() => decodeRanges(hex("01"), 2), /wNumSubRanges/);
  });

  // USB 2.0 §5.12.4.2: 48 kHz is 00 00 0C at full speed, 00 00 06 00 at high speed.
  test("feedback: 10.14 in three bytes, 16.16 in four, and what no device can mean", () => {
    assert.equal(decodeFeedback(hex("00000c"), 48_000), 48);
    assert.equal(decodeFeedback(hex("00000600"), 48_000, 8000), 6);
    assert.equal(decodeFeedback(hex("00000700"), 48_000, 8000), null);
    assert.equal(decodeFeedback(hex("ffffffff"), 48_000, 8000), null);
    assert.equal(decodeFeedback(hex("000006"), 48_000, 8000), null);
    // 8 kHz is one sample in each microframe: silence is no rate, though it is one sample off.
    assert.equal(decodeFeedback(hex("00000000"), 8000, 8000), null);
  });
});
