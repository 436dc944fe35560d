// Strict reading of .iig files: what is accepted, where it stands, and what a mistake is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ParsedFile, parseInterface } from "./parser.ts";
import { problemText } from "./source-problem.ts";
import type { ClassSyntax, MethodSyntax } from "./syntax.ts";

function classOf(parsed: ParsedFile, name: string): ClassSyntax {
  const found = parsed.items.find((item) => item.kind === "class" && item.name === name);
  assert.ok(found?.kind === "class", `no class ${name}`);
  return found;
}

function methodsOf(one: ClassSyntax): MethodSyntax[] {
  return one.members.filter((member) => member.kind === "method");
}

function told(text: string): string[] {
  return parseInterface("Pump.iig", text).problems.all.map(problemText);
}

const inClass = (member: string): string => `class Pump : public IOService {\npublic:\n${member}\n};\n`;

test("a class with its base, words, methods and their places", () => {
  const parsed = parseInterface(
    "Pump.iig",
    `#include <DriverKit/IOService.iig>
class IIG_LOCALONLY Pump: public IOService
{
public:
    virtual bool init() override;
protected:
    virtual void
    Flowed(OSAction * action IIG_TARGET, const uint64_t counts[4], IOReturn status = 0)
        TYPE(Meter::Measured) QUEUENAME(Fast);
private:
    static const char * Name(void) LOCALONLY;
};`,
  );
  assert.deepEqual(parsed.problems.all, []);
  const pump = classOf(parsed, "Pump");
  assert.deepEqual(
    [pump.line, pump.base?.name, pump.base?.line, pump.attributes[0]?.word],
    [2, "IOService", 2, "LOCALONLY"],
  );
  const [init, flowed, name] = methodsOf(pump);
  assert.deepEqual([init!.isVirtual, init!.isOverride, init!.line, init!.access], [true, true, 5, "public"]);
  assert.deepEqual([flowed!.line, flowed!.column, flowed!.access], [7, 5, "protected"]);
  assert.deepEqual(
    flowed!.attributes.map(({ word, argument, line }) => [word, argument, line]),
    [
      ["TYPE", "Meter::Measured", 9],
      ["QUEUENAME", "Fast", 9],
    ],
  );
  const [action, counts, status] = flowed!.parameters;
  assert.deepEqual([action!.name, action!.attributes[0]?.word], ["action", "TARGET"]);
  assert.deepEqual([counts!.type.base, counts!.type.array, counts!.type.isConst], ["uint64_t", "[4]", true]);
  assert.deepEqual([status!.defaultValue, status!.type.text], ["0", "IOReturn"]);
  assert.deepEqual([name!.isStatic, name!.returns.text, name!.parameters.length], [true, "const char *", 0]);
});

test("types round a name, references, templates and unnamed parameters", () => {
  const parsed = parseInterface(
    "Pump.iig",
    inClass(`virtual void take(uint8_t * & packet, void (^done)(int, bool), int (*call)(void *), OSSharedPtr<OSString> name,
      unsigned int, IOService *, driverkit::serial::Thing * thing) LOCALONLY;`),
  );
  assert.deepEqual(parsed.problems.all, []);
  const { parameters } = methodsOf(classOf(parsed, "Pump"))[0]!;
  assert.deepEqual(
    parameters.map(({ name }) => name),
    ["packet", "done", "call", "name", null, null, "thing"],
  );
  assert.deepEqual(
    parameters.map(({ type }) => type.base),
    [
      "uint8_t",
      "block",
      "function",
      "OSSharedPtr<OSString>",
      "unsigned int",
      "IOService",
      "driverkit::serial::Thing",
    ],
  );
  assert.equal(parameters[0]!.type.isReference, true);
});

test("#pragma mark and nested enumerations stay apart from the methods behind them", () => {
  const parsed = parseInterface(
    "Pump.iig",
    inClass(`#pragma mark - life
    enum Level : uint8_t { low, high };
    struct Range { int from; int to; };
#pragma mark work
    virtual kern_return_t Work(Level level);`),
  );
  assert.deepEqual(parsed.problems.all, []);
  const pump = classOf(parsed, "Pump");
  assert.deepEqual(
    pump.members.map((member) => (member.kind === "method" ? member.name : member.text)),
    ["enum Level : uint8_t { low, high };", "struct Range { int from; int to; };", "Work"],
  );
});

test("structures, functions, namespaces and templates between classes are handed on as they stand", () => {
  const pieces = [
    "struct Reading { uint32_t value; uint8_t unit[4]; } __attribute__((packed));",
    "typedef enum { a = 1, b } Kind;",
    'extern "C" { int twice(int x); }',
    "namespace pump { struct Inner; }",
    "static inline int half(int x) { return x / 2; }",
    "template <typename T> struct Box { T value; };",
    "class OSData;",
    "enum class Mode : int { one };",
  ];
  const parsed = parseInterface("Pump.iig", `${pieces.join("\n")}\n${inClass("virtual void Work();")}`);
  assert.deepEqual(parsed.problems.all, []);
  assert.deepEqual(
    parsed.items.flatMap((item) => (item.kind === "verbatim" ? [item.text] : [])),
    pieces,
  );
});

test("#if keeps what a build for DriverKit keeps; includes inside of other conditions pass", () => {
  const parsed = parseInterface(
    "Pump.iig",
    `#ifndef Pump_h
#define Pump_h
#define LEVELS 3
#ifdef __cplusplus
#include <DriverKit/OSData.iig>
#endif
#if 0
class Old : public IOService { nonsense here };
#endif
class Pump : public IOService {
#if LEVELS > 2 && defined(__cplusplus)
    virtual void Work();
#elif LEVELS > 1
    virtual void Rest();
#else
    what?
#endif
};
#endif`,
  );
  assert.deepEqual(parsed.problems.all, []);
  assert.deepEqual(
    parsed.items.flatMap((item) =>
      item.kind === "class" ? [item.name, ...methodsOf(item).map(({ name }) => name)] : [],
    ),
    ["Pump", "Work"],
  );
  assert.ok(parsed.items.some((item) => item.kind === "include" && item.path === "DriverKit/OSData.iig"));
});

test("C++ between @iig implementation and @iig end is kept with its line", () => {
  const parsed = parseInterface("Pump.iig", "\n/*\n@iig implementation\n#include <x.h>\n@iig end\n*/\n");
  const [item] = parsed.items;
  assert.ok(item?.kind === "implementation");
  assert.deepEqual([item.text.trim(), item.line], ["#include <x.h>", 3]);
});

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  [
    "kext macro (P06)",
    inClass("  OSDeclareDefaultStructors(Pump)"),
    /^Pump\.iig:3:3: error: OSDeclareDefaultStructors does not exist in DriverKit\n.*note: delete the line/,
  ],
  ["data", inClass("  uint32_t level[4];"), /:3:3: error: .*"level" is no method\n.*struct Pump_IVars/],
  ["constructor", inClass("  Pump();"), /:3:3: error: Pump has a constructor.*\n.*override init\(\)/],
  ["destructor", inClass("  virtual ~Pump();"), /:3:12: error: Pump has a destructor.*\n.*override free\(\)/],
  [
    "misspelt word",
    inClass("virtual void Work() LOCALONYL;"),
    /:3:21: error: "LOCALONYL".*\n.*did you mean LOCALONLY\?/,
  ],
  [
    "misspelt word of a parameter",
    inClass("virtual void Work(OSAction * action TARGTE);"),
    /:3:37: error: TARGTE .*\n.*did you mean TARGET\?/,
  ],
  [
    "; before a pragma",
    inClass("virtual void Work()\n#pragma mark more\nvirtual void Rest();"),
    /:3:19: error: a ; is missing behind "\)" in class Pump/,
  ],
  [
    "; before the next method",
    inClass("virtual void Work()\nvirtual void Rest();"),
    /:4:1: error: "virtual".*\n.*is a ; missing behind Work\?/,
  ],
  [
    "; behind the class",
    "class Pump : public IOService { }\nstruct X {};",
    /:2:1: error: a ; is missing behind class Pump/,
  ],
  ["no plain type", inClass("virtual kern_return_t [[nodiscard]] * x Work();"), /error: .*/],
  [
    "TYPE without a callback",
    inClass("virtual void Work() TYPE;"),
    /:3:21: error: TYPE needs a name in brackets\n.*TYPE\(Class::Method\)/,
  ],
  [
    "private base",
    "class Pump : IOService { };",
    /:1:14: error: IOService is inherited privately.*\n.*: public IOService/,
  ],
  [
    "two bases",
    "class Pump : public IOService, public Other { };",
    /:1:30: error: a driver's class has one base/,
  ],
  ["open comment", "/* never ends", /:1:1: error: a comment begins here and does not end/],
  [
    "open class",
    "class Pump : public IOService {\n virtual void Work();",
    /:1:1: error: class Pump has no \}/,
  ],
  [
    "open condition",
    "#if 1\nclass Pump : public IOService { };",
    /:1:1: error: this condition has no #endif/,
  ],
  ["method without a type", inClass("Work();"), /:3:1: error: Work has no type of what it returns/],
  [
    "macro as method",
    inClass("PUMP_METHODS(1)\n;"),
    /:3:1: error: PUMP_METHODS has no type.*\n.*a macro is not expanded/,
  ],
  ["twice one name", inClass("virtual void Work(int a, int a);"), /:3:26: error: two parameters are named a/],
  ["not = 0", inClass("virtual void Work() = default;"), /:3:21: error: Work ends with "= default"/],
  ["stray bracket", "}\n", /:1:1: error: a \} closes nothing/],
  ["class word", "class KERNAL Pump : public IOService { };", /:1:7: error: .*\n.*did you mean KERNEL\?/],
  ["operator", inClass("bool operator==(const Pump & other);"), /:3:6: error: an operator/],
  ["include in a class", inClass("#include <x.h>"), /:3:1: error: #include has no place inside of a class/],
];

for (const [name, text, expected] of mistakes)
  test(`a mistake is told where it stands: ${name}`, () => {
    const lines = told(text);
    assert.ok(
      lines.some((line) => expected.test(line)),
      `${expected} not among:\n${lines.join("\n")}`,
    );
  });

test("an unknown name in a condition is a warning that says how C counts it", () => {
  const lines = told("#if PUMP_OLD\nclass Pump : public IOService { };\n#endif");
  assert.match(lines[0]!, /^Pump\.iig:1:1: warning: PUMP_OLD is not known here and counts as 0/);
});

test("RUNTIME and #pragma source are words of our descriptions only", () => {
  assert.match(told(inClass("virtual void Work() RUNTIME;"))[0]!, /"RUNTIME" stands behind method Work/);
  const described = parseInterface(
    "Frame.iig",
    `#pragma source "page 1" likely\n${inClass("virtual void Work() RUNTIME;")}`,
    { isDescription: true },
  );
  assert.deepEqual(described.problems.all, []);
  assert.deepEqual(methodsOf(classOf(described, "Pump"))[0]!.note, { source: "page 1", mark: "likely" });
});
