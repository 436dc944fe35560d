// The members of the described structures lie where the host reads them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readDescriptions } from "../../frameworks/description-files.ts";
import { generateFrameworks } from "../../generate/frameworks.ts";
import { paramBytes, paramPlaces } from "./block-calls.ts";
import { responsePlaces, taskBytes, taskPlaces } from "./scsi-controller-calls.ts";
import { inParameters, outParameters } from "./scsi-peripheral-calls.ts";

const { structs } = generateFrameworks(readDescriptions()).abi;

for (const [name, members] of Object.entries({
  SCSIDeviceOutParameters: outParameters,
  SCSIDeviceInParameters: inParameters,
  SCSIUserParallelTask: taskPlaces,
  SCSIUserParallelResponse: responsePlaces,
  DeviceParams: paramPlaces,
}))
  test(`${name}: as it is described`, () => {
    const placed = new Map(structs.get(name)?.fields.map((field) => [field.name, field.offset]));
    for (const [member, offset] of Object.entries(members)) assert.equal(placed.get(member), offset, member);
  });

test("a task, and a disk's parameters, are as long as the room that is made for them", () => {
  assert.equal(structs.get("SCSIUserParallelTask")?.sizeBytes, taskBytes);
  assert.equal(structs.get("DeviceParams")?.sizeBytes, paramBytes);
});
