// The descriptions are whole, and what is made of them says what the reference says.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AbiMethod, AbiTable } from "../abi/abi-table.ts";
import { frameworkNames } from "../frameworks/covered.ts";
import { readDescriptions } from "../frameworks/description-files.ts";
import { generateFrameworks } from "./frameworks.ts";
import { methodId } from "./method-id.ts";

const { files, abi, model } = generateFrameworks(readDescriptions());

function methodOf(table: AbiTable, className: string, symbol: string): AbiMethod {
  const found = table.classes.get(className)?.methods.find((method) => method.symbol === symbol);
  assert.ok(found, `${className}.${symbol}`);
  return found;
}

test("every framework has an umbrella and glue, every described header its file", () => {
  for (const name of frameworkNames) {
    assert.match(files.get(`include/${name}/${name}.h`) ?? "", /#include/);
    assert.ok(files.has(`glue/${name}.cpp`));
  }
  for (const header of model.headers)
    assert.equal(files.has(`include/${header.path}`), !header.isWritten, header.path);
});

test("each class, method, structure and number says where it is from", () => {
  for (const one of model.classes.values()) {
    assert.ok(one.note?.source, one.name);
    for (const { name, note } of one.methods) assert.ok(note?.source, `${one.name}::${name}`);
  }
  for (const { name, note } of model.declarations.structures.values()) assert.ok(note?.source, name);
  for (const { name, note } of model.declarations.constants.values()) assert.ok(note?.source, name);
});

test("no parameter or result is of a type that nobody describes", () => {
  const known = new Set([...abi.structs.keys(), "va_list"]);
  for (const one of abi.classes.values())
    for (const { name, parameters, result } of one.methods)
      for (const { type } of [...parameters, { type: result }])
        assert.ok(type.kind !== "struct" || known.has(type.of!), `${one.name}::${name}: ${type.c}`);
});

test("kinds are those of the first declaration: dispatched, callback, local", () => {
  assert.equal(methodOf(abi, "IOService", "Start").kind, "dispatched");
  assert.equal(methodOf(abi, "IOUserSerial", "HwProgramUART").kind, "dispatched");
  assert.equal(methodOf(abi, "IOUserUSBSerial", "HwActivate").kind, "dispatched");
  assert.equal(methodOf(abi, "IOUserUSBSerial", "handleRxPacket").kind, "local");
  assert.equal(methodOf(abi, "IOUserClient", "ExternalMethod").kind, "local");
  assert.equal(methodOf(abi, "IOUSBHostPipe", "CompleteAsyncIO").kind, "callback");
  assert.equal(methodOf(abi, "IOTimerDispatchSource", "TimerOccurred").kind, "callback");
  assert.equal(methodOf(abi, "IOUserClient", "ExternalMethod").queueName, "IOUserClientQueueExternalMethod");
});

test("parameters travel as WebAssembly's calling convention has them", () => {
  const request = methodOf(abi, "IOUSBHostInterface", "DeviceRequest");
  assert.deepEqual(
    request.parameters.map(({ type }) => [type.wasm, type.kind, type.bits ?? null, type.isOut ?? false]),
    [
      ["i32", "integer", 8, false],
      ["i32", "integer", 8, false],
      ["i32", "integer", 16, false],
      ["i32", "integer", 16, false],
      ["i32", "integer", 16, false],
      ["i32", "object", null, false],
      ["i32", "pointer", 16, true],
      ["i32", "integer", 32, false],
    ],
  );
  const io = methodOf(abi, "IOUSBHostPipe", "CompleteAsyncIO");
  assert.deepEqual(
    io.parameters.map(({ type }) => type.wasm),
    ["i32", "i32", "i32", "i64"],
  );
  const create = methodOf(abi, "IODispatchQueue", "Create");
  assert.deepEqual([create.isStatic, create.parameters[0]?.type.kind], [true, "string"]);
  assert.deepEqual(create.parameters[3]?.type, {
    c: "IODispatchQueue * *",
    wasm: "i32",
    kind: "pointer",
    of: "IODispatchQueue",
    isOut: true,
  });
  assert.equal(methodOf(abi, "IODispatchQueue", "DispatchAsync").parameters[0]?.type.kind, "block");
  assert.equal(methodOf(abi, "IODispatchQueue", "DispatchAsync_f").parameters[1]?.type.kind, "function");
  assert.equal(methodOf(abi, "IOMemoryMap", "GetAddress").result.wasm, "i64");
  const speed = methodOf(abi, "IOUSBHostPipe", "GetDescriptors");
  assert.deepEqual(
    [speed.parameters[0]?.type.of, speed.parameters[1]?.type.kind],
    ["IOUSBStandardEndpointDescriptors", "enum"],
  );
});

test("overloads have names of their own, and each method its number", () => {
  const names = abi.classes.get("IOUSBHostDevice")!.methods.map(({ symbol }) => symbol);
  assert.ok(names.includes("CopyConfigurationDescriptor") && names.includes("CopyConfigurationDescriptor.2"));
  const ids = [...abi.classes.values()].flatMap(({ name, methods }) =>
    methods.filter(({ id }) => id !== null).map(({ id, symbol }) => ({ id, key: `${name}.${symbol}` })),
  );
  const inherited = new Set([
    ...["IOUserSerial", "IOUserUSBSerial", "IOUserHIDDevice", "IOUserUSBHostHIDDevice"],
    ...["IOUserHIDEventService", "IOUserHIDEventDriver"],
  ]);
  const own = ids.filter(({ key }) => !inherited.has(key.split(".")[0]!));
  assert.equal(new Set(own.map(({ id }) => id)).size, own.length);
  assert.equal(methodId("IOService", "Start"), methodOf(abi, "IOUserSerial", "Start").id);
});

test("structures lie as clang lays them for wasm32", () => {
  const sizes = [
    ["IOUserClientMethodArguments", 304, 8],
    ["IOUserClientMethodDispatch", 24, 4],
    ["IOUSBDeviceDescriptor", 18, 1],
    ["IOUSBConfigurationDescriptor", 9, 1],
    ["IOUSBEndpointDescriptor", 7, 1],
    ["IOUSBIsochronousFrame", 24, 1],
    ["IOAddressSegment", 16, 8],
    ["IODMACommandSpecification", 144, 8],
    ["driverkit::serial::SerialPortInterface", 384, 4],
  ] as const;
  for (const [name, size, align] of sizes) {
    const found = abi.structs.get(name);
    assert.deepEqual([found?.sizeBytes, found?.alignBytes], [size, align], name);
  }
  const { fields } = abi.structs.get("IOUserClientMethodArguments")!;
  assert.deepEqual(
    fields
      .filter(({ name }) => /^(completion|structureOutput|__reserved)$/.test(name))
      .map(({ offset, count }) => [offset, count]),
    [
      [16, 1],
      [44, 1],
      [64, 30],
    ],
  );
});

test("numbers of enumerations and defines are known to the host", () => {
  assert.equal(abi.constants.get("kIOMemoryDirectionInOut"), 3n);
  assert.equal(abi.constants.get("kIOUserClientVariableStructureSize"), 0xffffffffn);
  assert.equal(abi.constants.get("kIOUSBGetEndpointDescriptorCurrentPolicy"), 1n);
  assert.equal(abi.constants.get("IO_USER_CLIENT_METHOD_ARGUMENTS_CURRENT_VERSION"), 2n);
});

test("a description that is wrong is refused with its place", () => {
  const texts = new Map(readDescriptions());
  texts.set("SerialDriverKit", `#pragma header "A.h"\nclass A : public IOServise { };\n`);
  assert.throws(
    () => generateFrameworks(texts),
    /SerialDriverKit\.iig:2:18: error: no \.iig file declares IOServise.*\n.*did you mean IOService/,
  );
});
