// A driver's .iig files: what is made of them, and what a wrong one is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readDescriptions } from "../frameworks/description-files.ts";
import { type GeneratedDext, generateDext } from "./dext.ts";
import { describedFrameworks } from "./frameworks.ts";

const frameworks = describedFrameworks(readDescriptions());

const head = `#include <DriverKit/IOService.iig>
#include <DriverKit/IOTimerDispatchSource.iig>
#include <USBDriverKit/IOUSBHostPipe.iig>
`;

function dextOf(members: string, base = "IOService"): GeneratedDext {
  return generateDext(
    new Map([["src/Pump.iig", `${head}class Pump : public ${base}\n{\n${members}\n};\n`]]),
    frameworks,
  );
}

function told(made: GeneratedDext): string[] {
  return made.findings.map(
    ({ path, line, column, severity, message, advice }) =>
      `${path}:${line}:${column}: ${severity}: ${message}${advice === undefined ? "" : ` | ${advice}`}`,
  );
}

test("overrides are dispatched or local as their base says; new methods by their words", () => {
  const made = dextOf(`virtual bool init() override;
virtual kern_return_t Start(IOService * provider) override;
virtual void Tick(OSAction * action TARGET, uint64_t time) TYPE(IOTimerDispatchSource::TimerOccurred) QUEUENAME(Slow);
virtual kern_return_t Level(uint32_t which, uint32_t * value);
bool IsOpen() const LOCALONLY;`);
  assert.deepEqual(told(made), []);
  const { methods } = made.abi.classes.get("Pump")!;
  assert.deepEqual(
    methods.map(({ name, kind, queueName, callback }) => [name, kind, queueName, callback]),
    [
      ["init", "local", null, null],
      ["Start", "dispatched", null, null],
      ["Tick", "dispatched", "Slow", "IOTimerDispatchSource.TimerOccurred"],
      ["Level", "dispatched", null, null],
      ["IsOpen", "local", null, null],
    ],
  );
  const header = made.files.get("include/Pump.h")!;
  assert.match(header, /#define Pump_Start_Args IOService \* provider/);
  assert.match(
    header,
    /#line 7 "src\/Pump\.iig"\n {4}kern_return_t Start_Impl\(IOService \* provider\) override;/,
  );
  assert.match(header, /kern_return_t CreateActionTick\(size_t referenceSize, OSAction \*\* action\);/);
  assert.match(header, /bool IsOpen\(\) const;/);
  const source = made.files.get("source/Pump.iig.cpp")!;
  assert.match(source, /"Pump\.Tick", "IOTimerDispatchSource\.TimerOccurred", "Slow"/);
  assert.match(source, /\{ IOService_Start_ID, "IOService\.Start"/);
});

test("the parameters' names are those of the .iig, as IMPL uses them", () => {
  const made = dextOf("virtual kern_return_t Start(IOService * whoever) override;");
  assert.match(made.files.get("include/Pump.h")!, /#define Pump_Start_Args IOService \* whoever/);
});

const usbDone =
  "OSAction * action TARGET, IOReturn status, uint32_t actualByteCount, uint64_t completionTimestamp";

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  [
    "a callback's parameter of another type",
    `virtual void Done(OSAction * action TARGET, IOReturn status, uint16_t actualByteCount, uint64_t completionTimestamp) TYPE(IOUSBHostPipe::CompleteAsyncIO);`,
    /^src\/Pump\.iig:6:62: error: Pump::Done answers IOUSBHostPipe::CompleteAsyncIO, but parameter 3 is "uint16_t actualByteCount", and of IOUSBHostPipe::CompleteAsyncIO it is "uint32_t actualByteCount" \| it takes \(OSAction \* action, /,
  ],
  [
    "a callback's parameter too few",
    "virtual void Done(OSAction * action TARGET, IOReturn status, uint32_t actualByteCount) TYPE(IOUSBHostPipe::CompleteAsyncIO);",
    /:6:1: error: .*it has 3 parameters, and IOUSBHostPipe::CompleteAsyncIO has 4/,
  ],
  [
    "a callback that returns something else",
    `virtual kern_return_t Done(${usbDone}) TYPE(IOUSBHostPipe::CompleteAsyncIO);`,
    /:6:1: error: .*returns kern_return_t, which returns void/,
  ],
  [
    "a callback that is misspelt",
    `virtual void Done(${usbDone}) TYPE(IOUSBHostPipe::CompletAsyncIO);`,
    /error: IOUSBHostPipe has no callback CompletAsyncIO \| did you mean TYPE\(IOUSBHostPipe::CompleteAsyncIO\)\?/,
  ],
  [
    "TYPE of a method that is no callback",
    "virtual void Done(uint8_t * speed) TYPE(IOUSBHostPipe::GetSpeed);",
    /error: IOUSBHostPipe::GetSpeed is no callback: none of its parameters is a TARGET/,
  ],
  [
    "TYPE of a class that is not there",
    `virtual void Done(${usbDone}) TYPE(IOUSBHostPip::CompleteAsyncIO);`,
    /error: TYPE names IOUSBHostPip, which no \.iig file declares \| did you mean IOUSBHostPipe\?/,
  ],
  [
    "TYPE of a framework that is not described",
    "virtual void Done(OSAction * action TARGET) TYPE(IOUserNetworkEthernet::Anything);",
    /error: TYPE names IOUserNetworkEthernet of NetworkingDriverKit, which is not described here yet/,
  ],
  [
    "an override that overrides nothing",
    "virtual kern_return_t Strat(IOService * provider) override;",
    /error: Pump::Strat overrides nothing: no class from IOService up has a method Strat \| did you mean Start\?/,
  ],
  [
    "an override with other parameters",
    "virtual kern_return_t Start(OSObject * provider) override;",
    /error: Pump::Start overrides nothing: parameter 1 is "OSObject \* provider", and of IOService::Start it is "IOService \* provider" \| declare it as virtual kern_return_t Start\(IOService \* provider\) override/,
  ],
  [
    "an override that returns something else",
    "virtual void Start(IOService * provider) override;",
    /error: Pump::Start returns void, and IOService::Start returns kern_return_t/,
  ],
  [
    "one method twice",
    "virtual void A(int x);\nvirtual void A(int32_t y);",
    /:7:1: error: Pump::A was declared before, at src\/Pump\.iig:6/,
  ],
  [
    "a dispatched body",
    "virtual void A() { }",
    /error: Pump::A is dispatched, so its body belongs into the \.cpp/,
  ],
  ["a dispatched ...", "virtual void A(int x, ...);", /error: Pump::A is dispatched and cannot take \.\.\./],
];

for (const [name, members, expected] of mistakes)
  test(`a mistake is told with its place and a way out: ${name}`, () => {
    const made = dextOf(members);
    const lines = told(made);
    assert.ok(
      lines.some((line) => expected.test(line)),
      `${expected} not among:\n${lines.join("\n")}`,
    );
    assert.equal(made.files.size, 0);
  });

test("IOReturn and kern_return_t, unsigned int and uint32_t are the same types", () => {
  const made = dextOf(
    "virtual void Done(OSAction * a TARGET, kern_return_t s, unsigned int n, unsigned long long t) TYPE(IOUSBHostPipe::CompleteAsyncIO);",
  );
  assert.deepEqual(told(made), []);
});

test("uint64_t and unsigned long are not, as on a Mac", () => {
  const made = dextOf(
    "virtual void Tick(OSAction * a TARGET, unsigned long t) TYPE(IOTimerDispatchSource::TimerOccurred);",
  );
  assert.match(told(made)[0]!, /parameter 2 is "unsigned long t"/);
});

test("a new method that is neither virtual nor LOCALONLY is a warning, and taken as dispatched", () => {
  const made = dextOf("kern_return_t Level();");
  assert.match(told(made)[0]!, /:6:1: warning: Pump::Level is not virtual and not LOCALONLY/);
  assert.equal(made.abi.classes.get("Pump")!.methods[0]!.kind, "dispatched");
  assert.ok(made.files.size > 0);
});

test("bases: unknown, misspelt, of a framework that is not described, in a circle", () => {
  assert.match(
    told(dextOf("", "PumpBase"))[0]!,
    /no \.iig file declares PumpBase, the base of Pump \| a class that a plain header declares has no dispatch code/,
  );
  assert.match(told(dextOf("", "IOServce"))[0]!, /did you mean IOService\?/);
  assert.match(
    told(dextOf("", "IOUserNetworkEthernet"))[0]!,
    /IOUserNetworkEthernet is of NetworkingDriverKit, which is not described here yet/,
  );
  const circle = generateDext(
    new Map([["A.iig", "class A : public B { };\nclass B : public A { };"]]),
    frameworks,
  );
  assert.match(told(circle).join("\n"), /among the bases of its own base/);
});

test("classes and files that clash", () => {
  const taken = generateDext(new Map([["A.iig", "class IOService : public OSObject { };"]]), frameworks);
  assert.match(told(taken)[0]!, /class IOService exists already in DriverKit/);
  const twice = generateDext(
    new Map([
      ["x/A.iig", "class A : public IOService { };"],
      ["y/A.iig", "class A : public IOService { };"],
    ]),
    frameworks,
  );
  assert.match(told(twice).join("\n"), /x\/A\.iig makes A\.h too/);
  assert.match(told(twice).join("\n"), /class A was declared before, at x\/A\.iig:1/);
});

test("an .iig file of a class that is not described is told by the class, where its framework is", () => {
  const made = generateDext(
    new Map([["A.iig", "#include <SCSIPeripheralsDriverKit/IOUserSCSIPeripheralDeviceType05.iig>\n"]]),
    frameworks,
  );
  assert.match(
    told(made)[0]!,
    /IOUserSCSIPeripheralDeviceType05 of SCSIPeripheralsDriverKit is not described here yet \| docs\/dext-frameworks\.md/,
  );
});

test("an .iig file that is included and not there", () => {
  const made = generateDext(
    new Map([
      [
        "A.iig",
        '#include <NetworkingDriverKit/IOUserNetworkEthernet.iig>\n#include <SCSIPeripheralsDriverKit/IOUserSCSIPeripheralDeviceType05.iig>\n#include <DriverKit/IOServise.iig>\n#include "B.iig"\n',
      ],
    ]),
    frameworks,
  );
  assert.deepEqual(
    told(made).map((line) => line.split(": ")[2]),
    [
      "NetworkingDriverKit/IOUserNetworkEthernet.iig",
      "SCSIPeripheralsDriverKit/IOUserSCSIPeripheralDeviceType05.iig",
      "there is no DriverKit/IOServise.iig among the driver's files and the described frameworks | did you mean DriverKit/IOService.iig?",
      "there is no B.iig among the driver's files and the described frameworks",
    ],
  );
});

test("a driver's class may stand on another of its own, and answer a callback that it declares itself", () => {
  const made = generateDext(
    new Map([
      [
        "Base.iig",
        "#include <DriverKit/IOService.iig>\nclass Base : public IOService {\n virtual void Done(OSAction * action TARGET, uint32_t n) = 0;\n virtual kern_return_t Begin(OSAction * done TYPE(Base::Done));\n};",
      ],
      [
        "Leaf.iig",
        '#include "Base.iig"\nclass Leaf : public Base {\n virtual kern_return_t Begin(OSAction * done) override;\n virtual void Ended(OSAction * action TARGET, uint32_t n) TYPE(Base::Done);\n};',
      ],
    ]),
    frameworks,
  );
  assert.deepEqual(told(made), []);
  assert.equal(made.abi.classes.get("Base")!.methods[0]!.kind, "callback");
  assert.equal(made.abi.classes.get("Leaf")!.methods[1]!.callback, "Base.Done");
  const repeated = generateDext(
    new Map([
      [
        "A.iig",
        "#include <DriverKit/IOTimerDispatchSource.iig>\nclass A : public IOTimerDispatchSource {\n virtual kern_return_t SetHandler(OSAction * action TYPE(TimerOccurred)) override;\n};",
      ],
    ]),
    frameworks,
  );
  assert.match(told(repeated)[0]!, /repeats TYPE, which the interface compiler refuses/);
});

test("a path that would end a text of C does not", () => {
  const made = generateDext(new Map([['a"b\\c\nd.iig', "class A : public IOService { };"]]), frameworks);
  for (const text of made.files.values()) assert.ok(!/^d\.iig/m.test(text));
});
