// The doctor's C++ reader beside a compiler that only checks syntax, on the same text: lines per second.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { cppParser } from "@drydock/doctor/source/cpp-parser";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import type { BenchRow, BenchTable } from "./run.ts";

const rounds = 5;
const methods = 1500;

/** What the methods use, declared by us: a compiler needs no header for it. */
const prelude = `#include <stdint.h>
typedef int kern_return_t;
enum { kIOReturnSuccess = 0, kIOReturnBadArgument = 0x2c2, kIOMemoryDirectionOut = 2 };
struct IOAddressSegment { uint64_t address; uint64_t length; };
struct IOBufferMemoryDescriptor { kern_return_t GetAddressRange(IOAddressSegment * range); void release(); };
struct IOUSBHostInterface {
    kern_return_t CreateIOBuffer(uint64_t options, uint64_t length, IOBufferMemoryDescriptor ** buffer);
    kern_return_t DeviceRequest(uint8_t type, uint8_t request, uint16_t value, uint16_t index, uint16_t length,
                                IOBufferMemoryDescriptor * data, uint32_t * moved, uint32_t timeout);
};
struct MyDriver_IVars { IOUSBHostInterface * interface; uint16_t number; uint32_t count; };
struct MyDriver { MyDriver_IVars * ivars;
`;

/** One method as drivers have them: a request with a data stage, every result looked at. */
const method = (number: number): string => `
/// Sends setting ${number} and remembers how often.
kern_return_t MyDriver::SendSetting${number}(uint32_t value, uint8_t mode)
{
    if (mode > 4) return kIOReturnBadArgument;
    IOBufferMemoryDescriptor * buffer = nullptr;
    kern_return_t ret = ivars->interface->CreateIOBuffer(kIOMemoryDirectionOut, 5, &buffer);
    if (ret != kIOReturnSuccess) return ret;
    IOAddressSegment range = {};
    ret = buffer->GetAddressRange(&range);
    if (ret == kIOReturnSuccess) {
        uint8_t * bytes = reinterpret_cast<uint8_t *>(range.address);
        for (uint32_t index = 0; index < 4; ++index) bytes[index] = static_cast<uint8_t>(value >> (8 * index));
        bytes[4] = mode;
        uint32_t moved = 0;
        ret = ivars->interface->DeviceRequest(0x41, ${number & 0xff}, 0, ivars->number, 5, buffer, &moved, 1000);
        if (moved != 5) ++ivars->count;
    }
    buffer->release();
    return ret;
}
`;

function driverSource(): string {
  const numbers = Array.from({ length: methods }, (_, number) => number);
  const declared = numbers.map(
    (number) => `    kern_return_t SendSetting${number}(uint32_t value, uint8_t mode);\n`,
  );
  return `${prelude}${declared.join("")}};\n${numbers.map(method).join("")}`;
}

export async function bench(): Promise<BenchTable[]> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-source-"));
  try {
    const text = driverSource();
    const lines = text.split("\n").length;
    const path = join(folder, "driver.cpp");
    writeFileSync(path, text);
    const compiler = ["clang++", "g++"].find((name) => spawnSync(name, ["--version"]).error === undefined);
    const speed = async (name: string, work: () => unknown): Promise<BenchRow> => {
      const figures: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const started = performance.now();
        await work();
        figures.push(lines / ((performance.now() - started) / 1000));
      }
      return { name, rounds: figures };
    };
    const parser = await cppParser(cppGrammar);
    const rows = [
      await speed("doctor, recognised, parsed, all rules", async () => {
        const { answers, hints, files } = await diagnose([sourceOfText("driver", text)], { cppGrammar });
        if (answers.length + hints.length > 0 || !files[0].kinds.includes("source"))
          throw new Error(`the text is meant to be clean source: ${JSON.stringify([answers, hints, files])}`);
      }),
      await speed("parsed into our tree alone", () => parser.parse(text)),
    ];
    if (compiler !== undefined)
      rows.push(
        await speed(`${compiler} -std=c++17 -fsyntax-only, a process each time`, () => {
          const result = spawnSync(compiler, ["-std=c++17", "-fsyntax-only", path], { encoding: "utf8" });
          if (result.status !== 0) throw new Error(result.stderr.slice(0, 500));
        }),
      );
    return [
      {
        title: `Source of ${lines} lines`,
        unit: "lines/s",
        rows,
        note: "The compiler needs every declaration and checks types; the reader needs neither and finds what a compiler accepts.",
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
