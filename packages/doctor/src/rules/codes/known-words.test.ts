// FX-KNOWN: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { knownWords } from "./known-words.ts";

test("FX-KNOWN fires: the loader of kernel extensions, in the words of mach_error_string", async () => {
  await assertFires(
    knownWords,
    { t: "Failed to load /Library/Extensions/Box.kext - (libkern/kext) link error." },
    /"\(libkern\/kext\) link error": it uses a symbol of the kernel/,
  );
});

test("FX-KNOWN fires: libusb's words for kIOReturnNotOpen are not those for a device that another has", async () => {
  await assertFires(
    knownWords,
    { t: "libusb: error [darwin_reset_device] ResetDevice: device not opened for exclusive access" },
    /: kIOReturnNotOpen .*the program itself has not opened/,
  );
});

test("FX-KNOWN fires: a list that ends where a bundle is gone", async () => {
  await assertFires(
    knownWords,
    { t: "systemextensionsctl[607:78739] Completely failed to resolve bundle info" },
    /looked for the name of an extension/,
  );
});

test("FX-KNOWN fires: a name of Mach is a hint", async () => {
  await assertFires(
    knownWords,
    { t: "could not reach the helper: MACH_SEND_INVALID_DEST" },
    /MACH_SEND/,
    "hint",
  );
});

test("FX-KNOWN fires: the reason of an error is hidden, which is a hint", async () => {
  await assertFires(
    knownWords,
    { t: "sys extension didFailWithError description -<private>" },
    /os_log hid the words/,
    "hint",
  );
});

test("FX-KNOWN is silent: hidden words that are no reason", async () => {
  await assertSilent(knownWords, { t: "MyApp: attached <private> at <private>" });
});

test("FX-KNOWN is silent: a number beside the words tells more", async () => {
  await assertSilent(knownWords, { t: "IOServiceOpen: 0xe00002e2 (iokit/common) not permitted" });
});

test("FX-KNOWN is silent: everyday words without libusb", async () => {
  await assertSilent(knownWords, { t: "printer: device not responding, out of resources, data overrun" });
});

test("FX-KNOWN is silent: the loader's short words without its mark", async () => {
  await assertSilent(knownWords, { t: "clang: link error, internal error, unsupported" });
});
