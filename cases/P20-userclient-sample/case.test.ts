// P20: the acceptance criteria, and every row of the table of who may open a user client (posts.md T1).

import assert from "node:assert/strict";
import { test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import type { LogRow } from "@drydock/core/platform/log-row";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { Machine } from "@drydock/core/runtime/machine";
import { IOService } from "@drydock/core/runtime/service";
import type { IOUserClient } from "@drydock/core/runtime/user-client";
import { hostTurn } from "@drydock/node/host-turn";
import { badNullDriverBundle } from "./bad-driver.ts";
import { openNullDriver } from "./case.ts";
import { goodNullDriverBundle } from "./good-driver.ts";
import { nullDriverBundle, nullDriverIdentifier } from "./null-driver.ts";

const options = { seed: 20, turn: hostTurn };
const notPermitted = IOReturns.kIOReturnNotPermitted;
const access = "com.apple.developer.driverkit.userclient-access";
const needed =
  /^DK: NullDriverUserClient-0x[0-9a-f]+:UC failed userclient-access check, needed bundle ID org\.drydock\.sample\.null-driver$/;
const refused = /^DK: NullDriverUserClient-0x[0-9a-f]+:UC entitlements check failed$/;

const messages = (log: readonly LogRow[]) => log.map((row) => row.message);
const has = (log: readonly LogRow[], pattern: RegExp) => messages(log).some((line) => pattern.test(line));

test("P20 AC1: with allow-any the app opens the driver and is answered", async () => {
  const { status, answer, log } = await openNullDriver({ bundle: goodNullDriverBundle }, options);
  assert.equal(status, 0);
  assert.equal(answer, 42);
  assert.equal(has(log, /UC /), false);
});

test("P20 AC1: without it 0xe00002e2 and both lines, after NewUserClient and Start, before Stop and free", async () => {
  const { status, answer, log } = await openNullDriver({ bundle: badNullDriverBundle }, options);
  assert.equal(status, notPermitted);
  assert.equal(answer, null);
  const order = messages(log).map((line) =>
    needed.test(line) ? "needed" : refused.test(line) ? "refused" : line,
  );
  assert.deepEqual(order, [
    "NullDriver Start",
    "NullDriver NewUserClient",
    "NullDriverUserClient init",
    "NullDriverUserClient Start",
    "needed",
    "refused",
    "NullDriverUserClient Stop",
    "NullDriverUserClient free",
  ]);
});

test("P20 AC2: userclient-access with the driver's id opens; with the app's own id only the second line", async () => {
  const right = await openNullDriver(
    { bundle: badNullDriverBundle, appEntitlements: { [access]: [nullDriverIdentifier] } },
    options,
  );
  assert.equal(right.status, 0);
  const wrong = await openNullDriver(
    { bundle: badNullDriverBundle, appEntitlements: { [access]: ["org.drydock.sample.app"] } },
    options,
  );
  assert.equal(wrong.status, notPermitted);
  assert.equal(has(wrong.log, needed), false);
  assert.equal(has(wrong.log, refused), true);
});

test("P20 AC3: a command-line client with the key and no embedded profile is killed at launch", () => {
  const machine = new Machine({ ...options, profile: platformProfile("macos15") });
  const description = { name: "CppUserClient", entitlements: { [access]: [nullDriverIdentifier] } };
  assert.equal(machine.launchSigned(description, null), null);
  const lines = messages(machine.log.show());
  assert.match(lines[0], /Unsatisfied entitlements: com\.apple\.developer\.driverkit\.userclient-access/);
  assert.match(
    lines.join("\n"),
    /error -67671[\s\S]*Code=-413[\s\S]*AMFI: bailing out because of restricted entitlements/,
  );
  assert.notEqual(machine.launchSigned(description, { [access]: [nullDriverIdentifier] }), null);
});

/** One row of T1: what is asked, what must come out, which lines. */
const rows: {
  name: string;
  attempt: Omit<Parameters<typeof openNullDriver>[0], "bundle"> & {
    bundle?: ReturnType<typeof nullDriverBundle>;
  };
  status: number;
  lines: [RegExp, boolean][];
}[] = [
  {
    name: "macOS: presence of allow-any is enough, <false/> admits too",
    attempt: {
      bundle: nullDriverBundle({ "com.apple.developer.driverkit.allow-any-userclient-access": false }),
    },
    status: 0,
    lines: [[refused, false]],
  },
  {
    name: "macOS: a string value that equals the id admits",
    attempt: { appEntitlements: { [access]: nullDriverIdentifier } },
    status: 0,
    lines: [[refused, false]],
  },
  {
    name: "macOS: a newline-joined string does not",
    attempt: { appEntitlements: { [access]: `${nullDriverIdentifier}\norg.other` } },
    status: notPermitted,
    lines: [
      [needed, false],
      [refused, true],
    ],
  },
  {
    name: "macOS: <true/> does not",
    attempt: { appEntitlements: { [access]: true } },
    status: notPermitted,
    lines: [
      [needed, false],
      [refused, true],
    ],
  },
  {
    name: "macOS: communicates-with-drivers does nothing there",
    attempt: { appEntitlements: { "com.apple.developer.driverkit.communicates-with-drivers": true } },
    status: notPermitted,
    lines: [
      [needed, true],
      [refused, true],
    ],
  },
  {
    name: "macOS: being root is not enough",
    attempt: { isAdministrator: true },
    status: notPermitted,
    lines: [
      [needed, true],
      [refused, true],
    ],
  },
  {
    name: "macOS: IOServiceDEXTEntitlements of the user client is asked of the app",
    attempt: {
      bundle: nullDriverBundle({}, { IOServiceDEXTEntitlements: "org.drydock.extra" }),
      appEntitlements: { [access]: [nullDriverIdentifier] },
    },
    status: notPermitted,
    lines: [
      [needed, false],
      [refused, true],
    ],
  },
  {
    name: "macOS: IOServiceDEXTEntitlements that the app holds admits",
    attempt: {
      bundle: nullDriverBundle({}, { IOServiceDEXTEntitlements: "org.drydock.extra" }),
      appEntitlements: { [access]: [nullDriverIdentifier], "org.drydock.extra": true },
    },
    status: 0,
    lines: [[refused, false]],
  },
  {
    name: "boot-arg dk 0x8000 skips the check",
    attempt: { bootArgDk: 0x8000 },
    status: 0,
    lines: [[refused, false]],
  },
  {
    name: "private access that the driver does not satisfy logs its line and the checks go on",
    attempt: { appEntitlements: { "com.apple.private.driverkit.driver-access": ["org.none"] } },
    status: notPermitted,
    lines: [
      [/UC failed required entitlement check$/, true],
      [needed, true],
    ],
  },
  {
    name: "iPadOS: without communicates-with-drivers its own line",
    attempt: { platform: "ipados", appEntitlements: { [access]: [nullDriverIdentifier] } },
    status: notPermitted,
    lines: [
      [/UC entitlement check failed, app does not have .*communicates-with-drivers entitlement$/, true],
      [needed, false],
    ],
  },
  {
    name: "iPadOS: communicates-with-drivers and the same team open",
    attempt: {
      platform: "ipados",
      appEntitlements: { "com.apple.developer.driverkit.communicates-with-drivers": true },
    },
    status: 0,
    lines: [[refused, false]],
  },
  {
    name: "iPadOS: another team is refused with the team line",
    attempt: {
      platform: "ipados",
      appTeam: "OTHERTEAM1",
      appEntitlements: { "com.apple.developer.driverkit.communicates-with-drivers": true },
    },
    status: notPermitted,
    lines: [
      [/UC failed team ID check\. client team=OTHERTEAM1, driver team=DRIVERTEAM$/, true],
      [refused, true],
    ],
  },
  {
    name: "iPadOS: another team with allow-third-party-userclients opens",
    attempt: {
      platform: "ipados",
      bundle: nullDriverBundle({ "com.apple.developer.driverkit.allow-third-party-userclients": true }),
      appTeam: "OTHERTEAM1",
      appEntitlements: { "com.apple.developer.driverkit.communicates-with-drivers": true },
    },
    status: 0,
    lines: [[refused, false]],
  },
  {
    name: "open profile: everybody may",
    attempt: { platform: "open" },
    status: 0,
    lines: [[refused, false]],
  },
];

for (const row of rows) {
  test(`P20 T1 ${row.name}`, async () => {
    const { status, log, reason } = await openNullDriver(
      { bundle: badNullDriverBundle, ...row.attempt },
      options,
    );
    assert.equal(status, row.status, reason);
    for (const [pattern, present] of row.lines) assert.equal(has(log, pattern), present, String(pattern));
  });
}

test("P20 T1 NewUserClient that answers no user client: kIOReturnUnsupported and no entitlement line", async () => {
  class WrongObjectDriver extends IOService {
    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      this.registerService();
    }
    override async newUserClient(): Promise<IOUserClient> {
      return this as unknown as IOUserClient;
    }
  }
  const base = nullDriverBundle({});
  const { status, log } = await openNullDriver(
    { bundle: { ...base, classes: { ...base.classes, NullDriver: WrongObjectDriver } } },
    options,
  );
  assert.equal(status, IOReturns.kIOReturnUnsupported);
  assert.equal(has(log, /UC /), false);
});

test("P20 T1 NewUserClient's own error is the result and no entitlement line appears", async () => {
  class RefusingDriver extends IOService {
    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      this.registerService();
    }
    override async newUserClient(): Promise<IOUserClient> {
      throw this.failure(IOReturns.kIOReturnBusy, "NewUserClient");
    }
  }
  const base = nullDriverBundle({});
  const { status, log } = await openNullDriver(
    { bundle: { ...base, classes: { ...base.classes, NullDriver: RefusingDriver } } },
    options,
  );
  assert.equal(status, IOReturns.kIOReturnBusy);
  assert.equal(has(log, /UC /), false);
});
