// The SCSI cases in C++ beyond their two sides: P09's right dext on every path.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import { compileSide } from "../../cpp-case.ts";
import { loadCppCase } from "../../cpp-doors.ts";
import { drivePaths, openDrive, updateFirmware } from "../../P09-sendcdb-uas/case.ts";
import { updateByClient } from "../../P09-sendcdb-uas/cpp-case.ts";

const options = { seed: 9, turn: hostTurn, cppGrammar };

test("P09 in C++: the right dext moves the same bytes over Bulk-Only and UAS, and the wrong one only over Bulk-Only", async () => {
  const one = await loadCppCase("P09");
  for (const side of ["good", "bad"] as const) {
    const built = await compileSide(one, side, options);
    for (const path of drivePaths) {
      const dext = new LoadedDext(built);
      const lengthFrom = side === "good" ? "CDB" : "CBW";
      const drive = await openDrive(dext.bundle, { ...options, path, lengthFrom });
      for (const bytes of side === "good" ? [512, 513, 4096] : [4096]) {
        const { image, load, readBack } = await updateFirmware(drive, bytes, 3, updateByClient);
        const moves = side === "good" || path === "Bulk-Only" ? bytes : 0;
        assert.equal(load.answer.fRealizedByteCountOfTransfer, moves, `${side}, ${path}`);
        assert.equal(readBack.answer.fRealizedByteCountOfTransfer, moves, `${side}, ${path}`);
        if (moves > 0) assert.deepEqual(readBack.bytes, image);
      }
      dext.close();
    }
  }
});
