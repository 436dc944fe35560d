// HID report descriptors: the specification's own, each rule of §6.2.2, values in and out, hostile bytes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { hatSwitch, pad, specKeyboard, specMouse } from "./golden-descriptors.ts";
import { compileReportDescriptor } from "./report-compiler.ts";
import {
  findReport,
  isArray,
  isConstant,
  maximumReportBytes,
  parseReportDescriptor,
  type ReportDescriptor,
  usageAt,
  usageCount,
} from "./report-descriptor.ts";
import { formatReportDescriptor } from "./report-text.ts";
import {
  extractBits,
  holdsValue,
  insertBits,
  isNullValue,
  newReport,
  nullValue,
  physicalValue,
  readArrayUsages,
  readValue,
  writeValue,
} from "./report-values.ts";
import { Desktop, UsagePage, usage } from "./usages.ts";

const parse = (hex: string): ReportDescriptor => parseReportDescriptor(bytesFromHex(hex));
const refusal = (hex: string): [string, number] => {
  try {
    parse(hex);
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return [error.message, error.offset];
  }
  return ["accepted", -1];
};

test("the boot keyboard of HID 1.11 E.6", () => {
  assert.equal(specKeyboard.length, 63);
  const keyboard = parseReportDescriptor(specKeyboard);
  assert.equal(keyboard.usesReportIds, false);
  assert.equal(keyboard.collections[0]?.usage, usage(UsagePage.genericDesktop, Desktop.keyboard));
  assert.equal(findReport(keyboard, "input", 0)?.byteLength, 8);
  assert.equal(findReport(keyboard, "output", 0)?.byteLength, 1);
  const [modifiers, reserved, leds, padding, keys] = keyboard.fields;
  assert.deepEqual(
    [modifiers.bitOffset, modifiers.reportCount, usageAt(modifiers, 0), usageAt(modifiers, 7)],
    [0, 8, 0x7_00e0, 0x7_00e7],
  );
  assert.ok(isConstant(reserved) && isConstant(padding) && !isConstant(leds));
  assert.deepEqual([leds.kind, usageAt(leds, 1)], ["output", 0x8_0002]);
  assert.ok(isArray(keys) && !isArray(modifiers));
  assert.deepEqual([keys.bitOffset, keys.reportCount, usageCount(keys.usages)], [16, 6, 102]);
  assert.deepEqual(readArrayUsages(bytesFromHex("00 00 04 1d 66 00 00 00"), keys), [0x7_0004, 0x7_001d]);
});

test("the boot mouse of HID 1.11 E.10", () => {
  const mouse = parseReportDescriptor(specMouse);
  const move = mouse.fields.find((field) => usageAt(field, 0) === 0x1_0030);
  assert.ok(move !== undefined);
  assert.equal(move.collection?.parent, mouse.collections[0]);
  const report = bytesFromHex("05 81 7f");
  assert.deepEqual([readValue(report, move, 0), readValue(report, move, 1)], [-127, 127]);
  assert.deepEqual([usageAt(move, 1), maximumReportBytes(mouse, "input")], [0x1_0031, 3]);
});

test("a hat switch: physical range, unit, null state, report id", () => {
  const hat = parseReportDescriptor(hatSwitch);
  const [field] = hat.fields;
  assert.ok(hat.usesReportIds);
  assert.deepEqual([field.reportId, field.bitOffset, field.unit], [7, 8, 0x14]);
  assert.equal(nullValue(field), 15);
  assert.ok(isNullValue(field, 4) && !isNullValue(field, 3));
  assert.equal(physicalValue(field, 3), 270);
  assert.deepEqual(newReport(hat.reports[0]), Uint8Array.of(7, 0));
});

test("32-bit usages bring their page; the others take the page of the main item", () => {
  const { fields } = parse("05 01 09 30 05 09 0b 31 00 01 00 15 00 25 01 75 01 95 02 81 02");
  assert.deepEqual([usageAt(fields[0], 0), usageAt(fields[0], 1)], [0x9_0030, 0x1_0031]);
  const [range] = parse("05 01 1b 01 00 09 00 2b 08 00 09 00 25 01 75 01 95 08 81 02").fields;
  assert.deepEqual(range.usages, [{ minimum: 0x9_0001, maximum: 0x9_0008 }]);
  assert.equal(parse("06 00 ff 0a fe ca a1 01 c0").collections[0].usage, 0xff00_cafe);
});

test("fewer usages than controls: the last one serves for the rest; an array has no such rule", () => {
  const [variable] = parse("05 09 09 01 09 02 25 01 75 01 95 04 81 02").fields;
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => usageAt(variable, index)),
    [0x9_0001, 0x9_0002, 0x9_0002, 0x9_0002],
  );
  const [array] = parse("05 09 19 01 29 03 15 01 25 08 75 08 95 02 81 00").fields;
  assert.deepEqual(readArrayUsages(Uint8Array.of(3, 4), array), [0x9_0003]);
});

test("Push and Pop keep every global item; signs follow the minimum", () => {
  const { fields } = parse(`05 09 15 81 25 ff 75 08 95 01 a4 05 01 15 00 26 ff 00 95 02 81 02 b4 81 02
    15 00 25 ff 81 02`);
  assert.deepEqual(
    fields.map((field) => [field.logicalMinimum, field.logicalMaximum, field.reportCount]),
    [
      [0, 255, 2],
      [-127, -1, 1],
      [0, 255, 1],
    ],
  );
});

test("unit exponents as nibble and as signed byte; physical range as the logical one when unset", () => {
  const [nibble] = parse("55 0e 25 0a 75 08 95 01 81 02").fields;
  const [byte] = parse("55 fe 25 0a 75 08 95 01 81 02").fields;
  assert.deepEqual([nibble.unitExponent, byte.unitExponent], [-2, -2]);
  assert.deepEqual([nibble.physicalMinimum, nibble.physicalMaximum], [0, 10]);
});

test("a delimiter's preferred usage counts; long items and unknown tags are skipped", () => {
  const [field] = parse("05 09 a9 01 09 05 09 06 a9 00 25 01 75 01 95 01 81 02").fields;
  assert.deepEqual(field.usages, [{ minimum: 0x9_0005, maximum: 0x9_0005 }]);
  assert.equal(parse("fe 02 f0 aa bb c4 75 08 95 01 81 01").fields.length, 1);
});

test("what is ambiguous is refused, with the offset of the item", () => {
  const cases: readonly [string, RegExp, number][] = [
    ["05", /1 bytes has only 0 left/, 0],
    ["05 01 27 00 00", /4 bytes has only 2 left/, 2],
    ["fe 05", /header runs over the end/, 0],
    ["fe 05 00 01", /has only 1 left/, 0],
    ["c0", /End Collection without Collection/, 0],
    ["a1 01", /1 collections are still open/, 2],
    ["b4", /Pop without Push/, 0],
    ["a9 01", /still open at the end/, 2],
    ["a9 00", /closes nothing/, 0],
    ["a9 01 a9 01", /inside a delimiter/, 2],
    ["85 00", /report id 0/, 0],
    ["75 08 95 01 81 01 85 01", /after fields without one/, 6],
    ["95 01 81 02", /Report Size is 0/, 2],
    ["15 05 25 01 75 08 95 01 81 02", /above the maximum/, 8],
    ["75 20 97 ff ff ff 7f 81 02", /more than 16384 bytes/, 7],
    ["19 05 29 01", /is empty/, 2],
    ["1b 00 00 01 00 2b 01 00 02 00", /over two pages/, 5],
    ["19 01 75 08 95 01 81 02", /only one end/, 6],
  ];
  for (const [hex, message, offset] of cases) {
    const [text, at] = refusal(hex);
    assert.match(text, message);
    assert.equal(at, offset, hex);
  }
  assert.match(refusal("a4 ".repeat(65))[0], /nested deeper/);
  assert.match(refusal("a1 00 ".repeat(65))[0], /nested deeper/);
});

test("bits of every width and place come back, signed and unsigned, neighbours untouched", () => {
  const random = new Random(5);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: 9 }, () => random.below(256));
    const before = bytes.slice();
    const [offset, size] = [random.below(33), random.between(1, 32)];
    const value = random.next32() % 2 ** size;
    insertBits(bytes, offset, size, value);
    assert.equal(extractBits(bytes, offset, size), value);
    insertBits(bytes, offset, size, extractBits(before, offset, size));
    assert.deepEqual(bytes, before);
  }
  const [field] = parse("15 80 25 7f 75 08 95 02 81 02").fields;
  const report = new Uint8Array(2);
  writeValue(report, field, 1, -128);
  assert.deepEqual([hexBytes(report), readValue(report, field, 1)], ["00 80", -128]);
  assert.ok(holdsValue(2, field, 1) && !holdsValue(1, field, 1));
  assert.throws(() => readValue(report.subarray(0, 1), field, 1), DecodeError);
  assert.throws(() => insertBits(report, 16, 1, 1), DecodeError);
});

test("a compiled description parses to what it says", () => {
  const bytes = compileReportDescriptor([pad]);
  const { fields, reports } = parseReportDescriptor(bytes);
  assert.deepEqual(
    reports.map((report) => [report.kind, report.id, report.byteLength]),
    [
      ["input", 1, 5],
      ["feature", 2, 5],
    ],
  );
  const [axes, buttons, padding, feature] = fields;
  assert.deepEqual(
    [axes.logicalMinimum, axes.logicalMaximum, axes.physicalMinimum, axes.physicalMaximum, axes.unit],
    [-2048, 2047, -10, 10, 0x11],
  );
  assert.deepEqual([axes.unitExponent, axes.bitOffset, buttons.bitOffset], [-2, 8, 32]);
  assert.deepEqual([buttons.physicalMaximum, buttons.unit, isConstant(padding)], [1, 0, true]);
  assert.deepEqual(
    [usageAt(feature, 0), feature.logicalMaximum, feature.flags],
    [0xff00_0001, 0x7fffffff, 0x182],
  );
  assert.throws(() => compileReportDescriptor([{ ...pad, usage: -1 }]), RangeError);
});

test("the compiled boot keyboard has the layout of the specification's", () => {
  const compiled = parseReportDescriptor(
    compileReportDescriptor([
      {
        collection: "application",
        usage: 0x1_0006,
        items: [
          { kind: "input", size: 1, count: 8, usageRange: [0x7_00e0, 0x7_00e7], flags: ["variable"] },
          { kind: "input", size: 8, count: 1 },
          { kind: "output", size: 1, count: 5, usageRange: [0x8_0001, 0x8_0005], flags: ["variable"] },
          { kind: "output", size: 3, count: 1 },
          { kind: "input", size: 8, count: 6, usageRange: [0x7_0000, 0x7_0065], logical: [0, 101] },
        ],
      },
    ]),
  );
  assert.equal(formatReportDescriptor(compiled), formatReportDescriptor(parseReportDescriptor(specKeyboard)));
});

test("a dump says each bit", () => {
  assert.equal(
    formatReportDescriptor(parseReportDescriptor(hatSwitch)),
    "application collection Generic Desktop/Joystick\n" +
      "  input 7: bits 8..11  1 x 4  Generic Desktop/Hat switch  variable null state  0..3 is 0..270 unit 0x14\n" +
      "  input 7: bits 12..15  1 x 4  constant\n",
  );
  assert.match(
    formatReportDescriptor(parseReportDescriptor(specKeyboard)),
    /6 x 8 {2}Keyboard\/0x00 to Keyboard\/0x65 {2}array/,
  );
});

// HID 1.11 §6.2.2.7: unit 11h is centimetre, exponent Eh is -2; an exponent of 0 is not said.
test("a unit is shown with its power of ten, unless that is 0", () => {
  const shown = (exponent: string): string =>
    formatReportDescriptor(
      parseReportDescriptor(
        bytesFromHex(`05 01 09 04 a1 01 09 30 15 81 25 7f 65 11 ${exponent} 75 08 95 01 81 02 c0`),
      ),
    );
  assert.match(shown("55 0e"), / unit 0x11 e-2$/m);
  assert.match(shown("55 03"), / unit 0x11 e3$/m);
  assert.match(shown("55 00"), / unit 0x11$/m);
});
