// DR18-7: a ledger of each cause, and ledgers that are none.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ledgerNamesCause } from "./ledger-names-cause.ts";

const ledger = (...rows: readonly string[]): { l: string } => ({
  l: rows.map((row) => `DMA ledger: ${row}`).join("\n"),
});
const mapped = "task READ: 4 bytes wanted, mapped at 0x90001000, device may write, not bounced";
const entry = "scatter entry: 0x90001000, 4 bytes, system memory";
const response = "response: fBytesTransferred 4 of 4; the buffer holds 00 00 00 00 after completion";
const look = "dext looked at the task's buffer before completion: 00 00 00 00";

test("DR18-7 fires: the controller wrote into its own memory", async () => {
  const rows = ledger(
    mapped,
    entry,
    response,
    "device write: went to local memory at 0x90001000: 01 02 03 04",
    look,
  );
  await assertFires(ledgerNamesCause, rows, /its own memory at 0x90001000/);
});

test("DR18-7 fires: refused where it was mapped, and where it was not", async () => {
  const refused =
    "device write: refused at 0x90001000: device may not write; nearest nothing, missed by 0 bytes";
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, entry, response, refused, look),
    /the mapping had ended/,
  );
  const other = "scatter entry: 0x100090, 4 bytes, system memory";
  const elsewhere =
    "device write: refused at 0x100090: no mapping; nearest nothing, missed by everything bytes";
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, other, response, elsewhere, look),
    /told 0x100090 where/,
  );
});

test("DR18-7 fires: nothing counted, another buffer shown, a bounced one looked at early", async () => {
  const delivered = "device write: delivered";
  const nothing = "response: fBytesTransferred 0 of 4; the buffer holds 01 02 03 04 after completion";
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, entry, nothing, delivered, look),
    /reports 0 of 4 bytes/,
  );
  const another = "dext looked at another buffer before completion: 00 00 00 00";
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, entry, response, delivered, another),
    /is another buffer/,
  );
  const bounced = "task READ: 4 bytes wanted, mapped at 0x90001000, device may write, bounced";
  await assertFires(
    ledgerNamesCause,
    ledger(bounced, entry, response, delivered, look),
    /bounced copy reaches it at completion/,
  );
});

test("DR18-7 fires: firmware that is hasty, another function, reads the entry wrongly, counts nothing, takes another buffer", async () => {
  const hasty = "firmware's reply: 4 of 4 bytes, posted before the device's write";
  const usual = "firmware's reply: 4 of 4 bytes, posted after the device's write";
  const refused = "device write: refused at 0x90001000: no mapping; nearest nothing, missed by 0 bytes";
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, entry, response, hasty, refused, look),
    /before its data/,
  );
  const other = `${refused}; its requester was 03:00.1, the function is 03:00.0`;
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, entry, response, usual, other, look),
    /came from 03:00\.1/,
  );
  const elsewhere = "device write: refused at 0x100090: no mapping; nearest nothing, missed by 9 bytes";
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, entry, response, usual, elsewhere, look),
    /wrote to 0x100090: its firmware reads the entry/,
  );
  const nothing = "firmware's reply: 0 of 4 bytes, posted after the device's write";
  await assertFires(
    ledgerNamesCause,
    ledger(mapped, entry, response, nothing, "device write: delivered", look),
    /reply counts 0 of 4 bytes/,
  );
  const into = 'device write: delivered at 0x90008000 into "sense"';
  await assertFires(ledgerNamesCause, ledger(mapped, entry, response, usual, into, look), /which is "sense"/);
});

test("DR18-7 is silent on: a driver that saw the data, one that did not look, words without a ledger", async () => {
  const seen = "dext looked at the task's buffer after completion: 01 02 03 04";
  await assertSilent(ledgerNamesCause, ledger(mapped, entry, response, "device write: delivered", seen));
  await assertSilent(ledgerNamesCause, ledger(mapped, entry, response, "device write: delivered"));
  await assertSilent(ledgerNamesCause, {
    l: "the DMA ledger of our driver shows zeros: fBytesTransferred 0 of 6",
  });
});
