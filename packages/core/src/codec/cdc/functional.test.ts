// Notifications in pieces and among rubbish; functional descriptors that are cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import {
  encodeNotification,
  findFunctional,
  NotificationAssembler,
  unionSubordinates,
} from "./functional.ts";

test("notifications survive any split; rubbish and monstrous lengths are passed over", () => {
  const up = encodeNotification(0, 1, 2, new Uint8Array(0));
  assert.equal(hexBytes(up), "a1 00 01 00 02 00 00 00");
  const speed = encodeNotification(0x2a, 0, 2, bytesFromHex("00e1f505 00e1f505"));
  const all = Uint8Array.of(0x55, ...up, 0xa1, 0, 0, 0, 0, 0, 0xff, 0xff, ...speed, 0, ...up);
  for (let size = 1; size <= all.length; size++) {
    const seen: string[] = [];
    const assembler = new NotificationAssembler();
    for (let at = 0; at < all.length; at += size) {
      const part = all.subarray(at, at + size);
      assembler.push(part, part.length, (code, wValue, bytes) =>
        seen.push(`${code}:${wValue}:${bytes.length}`),
      );
    }
    assert.deepEqual(seen, ["0:1:8", "42:0:16", "0:1:8"], `pieces of ${size}`);
  }
});

test("a functional descriptor that is cut, or of another type, is not found", () => {
  const raw = (bytes: string) => ({ type: 0x24, bytes: bytesFromHex(bytes), offset: 0 });
  assert.deepEqual(unionSubordinates([raw("05 24 06 00 01")]), [1]);
  assert.deepEqual(unionSubordinates([raw("06 24 06 00 01 02")]), [1, 2]);
  assert.deepEqual(unionSubordinates([raw("04 24 06 00")]), []);
  assert.equal(findFunctional([{ ...raw("05 24 06 00 01"), type: 0x25 }], 6, 5), null);
});
