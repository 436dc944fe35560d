// Panics, crashes and profiles that are read get a sentence: whose, what kind, who must act.
// After public reports: libusb 1762, LuLu 897, tinygrad 16086, Thunderbolt kexts, injected libraries of endpoint products.

import { test } from "node:test";
import { assertField, type FieldCase } from "../test/field-check.ts";
import { crashOf, panicOf, plist } from "../test/samples.ts";

const collect = [/ioreg -l/, /systemextensionsctl list/, /codesign -d --entitlements/];
const legacy = (head: string, rest: string) =>
  `Process:               net.sample.pad [77]\nPath:                  /Library/SystemExtensions/*/net.sample.pad\nIdentifier:            net.sample.pad\nVersion:               2.0 (9)\nParent Process:        launchd [1]\n\nOS Version:            macOS 14.5 (23F79)\n\nCrashed Thread:        0\n\n${head}\n${rest}`;

const cases: Readonly<Record<string, FieldCase>> = {
  "a kernel extension of a network filter, on Apple silicon": {
    files: {
      p: "panic(cpu 4 caller 0xfffffe0011223344): Kernel data abort. at pc 0xfffffe0012340000, lr 0xfffffe0012340010 (saved state: 0xfffffe0)\n\t  far: 0x0000000000000018\nDebugger message: panic\nPanicked task 0x1: 1 pages, 2 threads: pid 0: kernel_task\nPanicked thread: 0x2, backtrace: 0x3, tid: 101\n\t\t  lr: 0xfffffe0014567890  fp: 0x1\n      Kernel Extensions in backtrace:\n         com.sample.filter.kext(4.1)[AAAAAAAA-1111-2222-3333-444444444444]@0xfffffe0014560000->0xfffffe001456ffff\n            dependency: com.apple.iokit.IONetworkingFamily(3.4)[AAAAAAAA-1111-2222-3333-555555555555]@0xfffffe0013000000->0xfffffe0013010000\n",
    },
    first: "FX-PANIC",
    must: [/com\.sample\.filter\.kext 4\.1/, /null pointer with an offset/, /vendor of the kernel extension/],
    never: [/to be done by you/],
  },
  "a watchdog names another service": {
    files: {
      p: "panic(cpu 0 caller 0x1): userspace watchdog timeout: no successful checkins from bluetoothd in 180 seconds\nPanicked task 0x1: 3 threads: pid 131: watchdogd\n",
    },
    first: "FX-PANIC",
    must: [/bluetoothd hung for 180 s/, /stackshot/],
    never: [/power transition/],
  },
  "a crash loop of a vendor's driver": {
    files: {
      p: "panic(cpu 0 caller 0x1): Driver IOUserServer(net.sample.pad-0x1000) has crashed too many times\n",
    },
    must: [/net\.sample\.pad crashed in a loop/, /the vendor of the driver/],
    never: [/every third-party/],
  },
  "an iPad's panic with no class": {
    files: { p: panicOf("something that no class knows", { product: "iPad14,5" }) },
    must: [/an iPad's panic/, /to be done by Apple/],
    never: collect,
  },
  "an iPhone's panic of its storage": {
    files: { p: panicOf("ANS2 Recoverable Panic - assert failed: [7447]:x.c", { product: "iPhone15,2" }) },
    must: [/an iPhone's panic/, /No driver extension exists/],
    never: collect,
  },
  "a disk off the bus": {
    files: {
      p: 'panic(cpu 2 caller 0x1): nvme: "3rd party NVMe controller. Command timeout. Write. fBuiltIn=0 MODEL=SAMPLE 1TB FW=2 CSTS=0xffffffff US[1]=0x1"\n',
    },
    must: [/answered all ones/, /device's maker/],
  },
  "the middle of a panic": {
    files: {
      t: "CORE 3 is the one that panicked. Check the full backtrace for details.\nCompressor Info: 2% of compressed pages limit (OK)\nPanicked task 0xfffffe1: 9 pages, 9 threads: pid 600: lamp-tool\n",
    },
    must: [/part of a panic report whose first line/, /lamp-tool/, /panic-full-\*\.ips/],
    never: [/codesign -d --entitlements/],
  },
  "a driver that dereferences null": {
    files: {
      c: crashOf({
        type: "EXC_BAD_ACCESS",
        subtype: "KERN_INVALID_ADDRESS at 0x0000000000000010",
        frames: [
          "org.example.sample Lamp::Stop_Impl(IOService*)",
          "DriverKit OSMetaClassBase::Dispatch(IORPC)",
        ],
      }),
    },
    first: "FX-CRASH",
    must: [/Lamp::Stop_Impl\(IOService\*\) \+ 4/, /null pointer/],
    never: [/ioreg -l/],
  },
  "a driver that fails an assertion": {
    files: {
      c: legacy(
        "Exception Type:        EXC_CRASH (SIGABRT)",
        "Thread 0 Crashed:: Dispatch queue: Pad-Default\n0   libsystem_kernel.dylib   0x0000000100000001 __pthread_kill + 8\n1   libsystem_c.dylib   0x0000000100000002 __assert_rtn + 20\n2   net.sample.pad   0x0000000100000003 Pad::Report(unsigned int) + 96\n",
      ),
    },
    first: "FX-CRASH",
    must: [/Pad::Report\(unsigned int\) \+ 96, in a call of __assert_rtn/],
  },
  "a double release in Stop": {
    files: {
      c: legacy(
        "Exception Type:        EXC_BAD_ACCESS (SIGSEGV)",
        "Thread 0 Crashed:: Dispatch queue: Pad-Default\n0   com.apple.DriverKit   0x0000000100000001 OSObject::release() const + 10\n1   net.sample.pad   0x0000000100000003 Pad::Close() + 30\n",
      ),
    },
    must: [/Pad::Close\(\) \+ 30, in a call of release/, /released twice/],
  },
  "another product's library in a driver": {
    files: {
      c: legacy(
        "Exception Type:        EXC_CRASH (SIGABRT)\nTermination Reason:    DYLD, [0x1] Library missing",
        "Dyld Error Message:\n  Library not loaded: /System/Library/Frameworks/CoreFoundation.framework/CoreFoundation\n  Referenced from: /Library/Application Support/Sentinel/inject.dylib\n  Reason: image not found\n",
      ),
    },
    first: "FX-FOREIGN-LIBRARY",
    must: [/inject\.dylib/, /another product/],
    never: [/DR03-1/, /links against/],
  },
  "an app that is killed for its page": {
    files: {
      c: "Process:               Lamp [3]\nPath:                  /Applications/Lamp.app/Contents/MacOS/Lamp\n\nException Type:        EXC_BAD_ACCESS (Code Signature Invalid)\nTermination Reason:    Namespace CODESIGNING, Code 0x2\n\nThread 0 Crashed:\n0   Lamp   0x0000000100000001 main + 4\n",
    },
    first: "FX-KILLED",
    must: [/a page of its code does not fit/],
    never: [/launch constraint/],
  },
  "a profile by itself that still holds": {
    files: {
      "p.plist": plist({
        Name: "Lamp",
        TeamIdentifier: ["QW12ER34TY"],
        ExpirationDate: "x",
        Entitlements: {
          "com.apple.application-identifier": "QW12ER34TY.net.sample.lamp",
          "com.apple.developer.driverkit": true,
        },
      }),
    },
    must: [/provisioning profile "Lamp"/, /QW12ER34TY\.net\.sample\.lamp/],
    never: [/What would help/],
  },
};

for (const [name, one] of Object.entries(cases)) test(name, () => assertField(one));
