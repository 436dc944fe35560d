// FX-CODESIGN: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { codesignCannotSign } from "./codesign-cannot-sign.ts";

test("FX-CODESIGN fires: the code alone", async () => {
  await assertFires(
    codesignCannotSign,
    { l: "Pad.dext: errSecInternalComponent" },
    /could not use the key or the chain/,
  );
});

test("FX-CODESIGN fires: the warning before it is the reason", async () => {
  await assertFires(
    codesignCannotSign,
    {
      l: `Warning: unable to build chain to self-signed root for signer "A"
Pad.dext: errSecInternalComponent`,
    },
    /chain to Apple.s root cannot be built/,
  );
});

test("FX-CODESIGN fires: detritus", async () => {
  await assertFires(
    codesignCannotSign,
    { l: "Pad.app: resource fork, Finder information, or similar detritus not allowed" },
    /extended attributes/,
  );
});

test("FX-CODESIGN is silent: a signature that works", async () => {
  await assertSilent(codesignCannotSign, { l: "Pad.app: replacing existing signature" });
});
