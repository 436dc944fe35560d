// FX-NEW-OBJECT: source that fires it, and corrected source that does not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { objectMadeByNew } from "./object-made-by-new.ts";

test("FX-NEW-OBJECT fires: ReceiveContext is an OSObject and is made by new", async () => {
  await assertFires(
    objectMadeByNew,
    {
      driver: `#include <DriverKit/OSObject.h>

class ReceiveContext : public OSObject
{
public:
    bool init() override;
};

ReceiveContext * MakeContext()
{
    return new ReceiveContext();
}
`,
    },
    /ReceiveContext is an OSObject and is made by new/,
  );
});

test("FX-NEW-OBJECT is silent on the corrected source", async () => {
  await assertSilent(objectMadeByNew, {
    driver: `#include <DriverKit/OSObject.h>

class ReceiveContext : public OSObject
{
public:
    bool init() override;
};

ReceiveContext * MakeContext()
{
    return OSTypeAlloc(ReceiveContext);
}
`,
  });
});

test("FX-NEW-OBJECT is silent on a stand-in for the framework's class, and on a test that runs on the host", async () => {
  await assertSilent(objectMadeByNew, {
    "mocks/DriverKit/OSNumber.h": `#pragma once
#include <DriverKit/OSObject.h>

class OSNumber : public OSObject
{
public:
    static OSNumber * withNumber(uint64_t value, size_t bits) { return new OSNumber(); }
};
`,
  });
  await assertSilent(objectMadeByNew, {
    "tests/bridge.cpp": `#include "HostStubs.hpp"
#include <gtest/gtest.h>
#include <DriverKit/OSObject.h>

class IOPCIDevice : public OSObject
{
};

class FakeBridge : public IOPCIDevice
{
public:
    int opened = 0;
};

void BridgeTest::SetUp()
{
    bridge_ = new FakeBridge();
    EXPECT_EQ(bridge_->opened, 0);
}
`,
  });
});
