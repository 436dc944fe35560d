// Hostile .iig files: whatever is written, the reader ends, in time linear in the text, and never throws.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { parseInterface } from "./parser.ts";
import { resolveInterface } from "./resolver.ts";
import { ProblemList } from "./source-problem.ts";
import { maximumSourceLength } from "./tokens.ts";

const good = `/* pump */
#ifndef Pump_h
#define Pump_h
#include <DriverKit/IOService.iig>
struct Reading { uint32_t value; uint8_t unit[4]; } __attribute__((packed));
enum { kLevels = (1 << 4) | 3 };
typedef void (^PumpBlock)(int level);
class Pump : public IOService
{
public:
    virtual bool init() override;
    virtual kern_return_t Start(IOService * provider) override;
#pragma mark work
    enum Level { low = 1, high };
    virtual void Flowed(OSAction * action TARGET, const uint64_t counts[4]) TYPE(Meter::Measured) QUEUENAME(Fast);
    void each(void (^block)(Level level), OSSharedPtr<OSString> name) LOCALONLY;
};
#endif
`;

const pieces = good.match(/\w+|\s+|[^\w\s]/g)!;

function readWhole(text: string): void {
  const parsed = parseInterface("Pump.iig", text);
  const problems = new ProblemList();
  const header = { framework: null, path: "Pump.h", isWritten: false, source: parsed };
  resolveInterface([header], { known: null, uncovered: new Map() }, problems);
  assert.ok(parsed.problems.all.length <= 100);
  for (const { line, column, message } of [...parsed.problems.all, ...problems.all]) {
    assert.ok(line >= 1 && column >= 1);
    assert.ok(message.length < 1000);
  }
}

test("6,000 files with words left out, doubled, swapped, cut off or from elsewhere", () => {
  const random = new Random(22);
  for (let round = 0; round < 6000; round++) {
    const words = [...pieces];
    const changes = 1 + random.below(6);
    for (let change = 0; change < changes; change++) {
      const at = random.below(words.length);
      const other = random.below(words.length);
      const way = random.below(6);
      if (way === 0) words.splice(at, 1 + random.below(4));
      else if (way === 1) words.splice(at, 0, words[other]!);
      else if (way === 2) [words[at], words[other]] = [words[other]!, words[at]!];
      else if (way === 3) words.length = at + 1;
      else if (way === 4) words[at] = String.fromCharCode(random.below(0x300));
      else
        words.splice(
          at,
          0,
          ["{", "}", "(", ")", "<", '"', "/*", "#if 1\n", "#else\n", "\\\n", "::"][other % 11]!,
        );
    }
    readWhole(words.join(""));
  }
});

const deep = 200_000;
const walls: readonly (readonly [string, string])[] = [
  ["open brackets", "(".repeat(deep)],
  ["open braces", "{".repeat(deep)],
  ["open classes", "class A : public B {".repeat(deep / 10)],
  ["classes without end", "class ".repeat(deep)],
  ["angles", `class A : public B { ${"a<".repeat(deep)} x(); };`],
  ["conditions", "#if 1\nclass A { };\n".repeat(deep / 10)],
  ["conditions that fail", `${"#if 0\n".repeat(deep / 4)}class A { };`],
  ["elses", `#if 0\nclass A { };\n${"#elif 1\n".repeat(deep / 4)}#endif`],
  ["nested condition", `#if ${"(".repeat(deep)}1\nclass A { };\n#endif`],
  ["long sum", `#if ${"1+".repeat(deep)}1\nclass A { };\n#endif`],
  ["signs", `#if ${"!".repeat(deep)}1\nclass A { };\n#endif`],
  ["stars", `class A : public B { virtual void x(int ${"*".repeat(deep)} y); };`],
  ["parameters", `class A : public B { virtual void x(${"int a, ".repeat(deep / 4)} int b); };`],
  ["quotes", '"'.repeat(deep)],
  ["quotes in a define", `#define X ${'"'.repeat(deep)}`],
  ["comments", "/*".repeat(deep)],
  ["raw text", 'R"('.repeat(deep)],
  ["continued lines", "#define X \\\n".repeat(deep / 4)],
  ["enumerators", `enum { ${"a = (1 << 2) | 3, ".repeat(deep / 20)} };`],
  ["nested structures", `${"struct A { ".repeat(deep / 10)}`],
  [
    "one enumerator on the other",
    `enum { ${Array.from({ length: 5000 }, (_item, at) => `a${at} = a${at - 1} * a${at - 1}`).join(", ")} };`,
  ],
  ["namespaces", `${"namespace a { ".repeat(deep / 20)}${"}".repeat(deep / 20)}`],
  ["too long", " ".repeat(maximumSourceLength + 1)],
];

for (const [name, text] of walls)
  test(`a wall of text is read to its end: ${name}`, { timeout: 20_000 }, () => {
    readWhole(text);
  });
