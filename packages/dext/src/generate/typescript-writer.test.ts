// A dext's structures as TypeScript: the module that is made reads and writes the bytes that C has.

import assert from "node:assert/strict";
import { stripTypeScriptTypes } from "node:module";
import { test } from "node:test";
import { readDescriptions } from "../frameworks/description-files.ts";
import { generateDext } from "./dext.ts";
import { describedFrameworks } from "./frameworks.ts";
import { typescriptText } from "./typescript-writer.ts";

const iig = `struct Gauge { uint16_t kind; uint32_t levels[3]; };
struct Reading { uint64_t stamp; struct Gauge gauge; uint8_t unit[4]; } __attribute__((packed));
enum { kGaugeWide = 0x10, kFar = 0xffffffffffffffff };
class Pump : public IOService { };`;

test("what is written is read again, and lies where C's packed and natural layouts have it", async () => {
  const { abi, findings } = generateDext(
    new Map([["Pump.iig", iig]]),
    describedFrameworks(readDescriptions()),
  );
  assert.deepEqual(findings, []);
  const text = typescriptText(abi, { structs: ["Reading"], constants: ["kGaugeWide", "kFar", "kAbsent"] });
  const made = await import(`data:text/javascript,${encodeURIComponent(stripTypeScriptTypes(text))}`);
  assert.deepEqual(
    [made.kGaugeWide, made.kFar, made.sizeOfGauge, made.sizeOfReading],
    [16, 2n ** 64n - 1n, 16, 28],
  );
  const reading = {
    stamp: 0x0102030405060708n,
    gauge: { kind: 7, levels: [1, 2, 0xdeadbeef] },
    unit: [65, 66, 67, 0],
  };
  const bytes: Uint8Array = made.writeReading(reading);
  assert.equal(
    Buffer.from(bytes).toString("hex"),
    "0807060504030201" + "0700" + "0000" + "01000000" + "02000000" + "efbeadde" + "41424300",
  );
  assert.deepEqual(made.readReading(bytes), reading);
});
