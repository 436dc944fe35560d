// Source is judged by receiver, target and macro, not by position, text or one setting.
// After public drivers: a tuner's kext beside its dext, working USB drivers that use IOUSBHostDevice, macOS projects with a template's device family.

import { test } from "node:test";
import { assertField, type FieldCase } from "../test/field-check.ts";
import { plist } from "../test/samples.ts";

const iig = (name: string, base = "IOService") =>
  `#include <DriverKit/IOService.iig>\nclass ${name} : public ${base}\n{\npublic:\n    virtual kern_return_t Start(IOService *provider) override;\n    virtual kern_return_t Stop(IOService *provider) override;\n};\n`;
const start = (name: string) =>
  `kern_return_t IMPL(${name}, Start)\n{\n    kern_return_t ret = Start(provider, SUPERDISPATCH);\n    if (ret == kIOReturnSuccess) RegisterService();\n    return ret;\n}\n`;
const head = "#include <os/log.h>\n#include <DriverKit/IOLib.h>\n#include <USBDriverKit/USBDriverKit.h>\n";
const kextInfo = plist({
  CFBundleIdentifier: "org.example.kext.Scope",
  CFBundlePackageType: "KEXT",
  OSBundleLibraries: { "com.apple.kpi.iokit": "20.0" },
});
const project = (settings: string) =>
  `// !$*UTF8*$!\n{ objects = { A = {\n buildSettings = {\n ${settings.split(";").join(";\n ")}\n };\n }; }; }\n`;
const opener =
  '#import <Foundation/Foundation.h>\n#include <IOKit/IOKitLib.h>\nio_connect_t openIt(void)\n{\n    io_connect_t connection = 0;\n    IOServiceOpen(IOServiceGetMatchingService(0, IOServiceMatching("Scope")), mach_task_self(), 0, &connection);\n    return connection;\n}\n';

const cases: Readonly<Record<string, FieldCase>> = {
  "AsyncDeviceRequest of a device takes the client first": {
    files: {
      "a.cpp": `${head}struct A_IVars { IOUSBHostDevice *dev; IOBufferMemoryDescriptor *buf; OSAction *done; };\nkern_return_t ask(A_IVars *iv, IOService *me)\n{\n    return iv->dev->AsyncDeviceRequest(me, 0xC1, 0x01, 0, 0, 4, iv->buf, iv->done, 500);\n}\n`,
    },
    never: [/FX-REQUEST-DATA/, /wLength is 0/],
    isRight: true,
  },
  "a device whose type only the header says": {
    files: {
      "A.h":
        "#pragma once\n#include <USBDriverKit/IOUSBHostDevice.h>\nstruct A_IVars { IOUSBHostDevice *gadget; IOMemoryDescriptor *bytes; };\n",
      "a.cpp": `${head}#include "A.h"\nkern_return_t ask(A_IVars *iv, IOService *me)\n{\n    uint16_t moved = 0;\n    return iv->gadget->DeviceRequest(me, 0x80, 6, 0x100, 0, 18, iv->bytes, &moved, 500);\n}\n`,
    },
    never: [/FX-REQUEST-DATA/],
    isRight: true,
  },
  "a method of one's own that is called DeviceRequest": {
    files: {
      "a.cpp": `${head}struct Link { kern_return_t DeviceRequest(uint8_t a, uint8_t b, void *p, uint32_t n, uint32_t length, void *reply, uint32_t c, uint32_t d); };\nstruct A_IVars { Link *link; };\nkern_return_t ask(A_IVars *iv)\n{\n    return iv->link->DeviceRequest(1, 2, nullptr, 0, 12, nullptr, 0, 0);\n}\n`,
    },
    never: [/FX-REQUEST-DATA/],
    isRight: true,
  },
  "a request of an interface that has a data stage and no buffer is still found": {
    files: {
      "a.cpp": `${head}struct A_IVars { IOUSBHostInterface *intf; };\nkern_return_t ask(A_IVars *iv)\n{\n    uint16_t moved = 0;\n    return iv->intf->DeviceRequest(0xA1, 0x21, 0, 0, 7, nullptr, &moved, 500);\n}\n`,
    },
    first: "FX-REQUEST-DATA",
    must: [/asks for 7 bytes of data and gives no buffer/],
  },
  "a request of a device without a buffer is found at its own place": {
    files: {
      "a.cpp": `${head}struct A_IVars { IOUSBHostDevice *dev; };\nkern_return_t ask(A_IVars *iv, IOService *me)\n{\n    uint16_t moved = 0;\n    return iv->dev->DeviceRequest(me, 0xC0, 0x49, 0, 0, 2, nullptr, &moved, 500);\n}\n`,
    },
    first: "FX-REQUEST-DATA",
    must: [/asks for 2 bytes of data and gives no buffer/],
  },
  "a kext's implementation that includes nothing but its own header": {
    files: {
      "Kext/Info.plist": kextInfo,
      "Kext/Scope.cpp":
        '#include "Scope.h"\nOSDefineMetaClassAndStructors(Scope, IOService)\nbool Scope::start(IOService *provider)\n{\n    if (!super::start(provider)) return false;\n    IOWorkLoop *loop = IOWorkLoop::workLoop();\n    return loop != nullptr;\n}\n',
      "Dext/Scope.iig": iig("ScopeDriver"),
    },
    never: [/DR06-1/, /DR06-2/],
    isRight: true,
  },
  "a kext without an Info.plist: the base class is one of the kernel's": {
    files: {
      "Base.h":
        "#ifndef B\n#define B\n#include <IOKit/IOService.h>\n#include <libkern/c++/OSObject.h>\nclass RadioBase : public IOService {\n    OSDeclareDefaultStructors(RadioBase)\npublic:\n    virtual bool start(IOService *provider) override;\n};\n#endif\n",
      "Radio.h":
        "#ifndef R\n#define R\nclass Radio : public RadioBase {\n    OSDeclareDefaultStructors(Radio)\n    virtual bool tune(int channel);\n};\n#endif\n",
      "Radio.cpp":
        '#include "Radio.h"\nOSDefineMetaClassAndStructors(Radio, RadioBase)\nbool Radio::tune(int channel)\n{\n    return getProvider() != nullptr && channel > 0;\n}\n',
    },
    never: [/DR06-1/, /DR06-2/],
    isRight: true,
  },
  "a kext in a folder below the one with its Info.plist": {
    files: {
      "Legacy/Info.plist": kextInfo,
      "Legacy/Source/Port.h":
        "#ifndef P\n#define P\nclass Port : public IOSerialStreamSync {\n    OSDeclareDefaultStructors(Port)\n};\n#endif\n",
    },
    never: [/DR06-1/, /DR06-2/],
    isRight: true,
  },
  "the same macro in a driver extension is still found": {
    files: {
      "Dext/Info.plist": plist({ CFBundleIdentifier: "org.example.d", CFBundlePackageType: "DEXT" }),
      "Dext/Pad.h":
        "#ifndef P\n#define P\n#include <DriverKit/IOService.h>\nclass Pad : public IOService {\n    OSDeclareDefaultStructors(Pad)\n    virtual kern_return_t Start(IOService *provider) override;\n};\n#endif\n",
    },
    must: [/DR06-1/],
  },
  "super behind a macro with parameters, defined in a header": {
    files: {
      "Macros.h": "#pragma once\n#define CHAIN(method, ...) method(__VA_ARGS__, SUPERDISPATCH)\n",
      "A.iig": iig("A"),
      "A.cpp": `${head}#include "Macros.h"\n${start("A")}kern_return_t IMPL(A, Stop)\n{\n    return CHAIN(Stop, provider);\n}\n`,
    },
    never: [/FX-STOP-SUPER/],
    isRight: true,
  },
  "super behind two macros": {
    files: {
      "A.iig": iig("A"),
      "A.cpp": `${head}#define TO_SUPER SUPERDISPATCH\n#define FORWARD_STOP Stop(provider, TO_SUPER)\n#define LEAVE do { return FORWARD_STOP; } while (0)\n${start("A").replace("Start(provider, SUPERDISPATCH)", "Start(provider, SUPERDISPATCH)")}kern_return_t IMPL(A, Stop)\n{\n    LEAVE;\n}\n`,
    },
    never: [/FX-STOP-SUPER/],
    isRight: true,
  },
  "a macro of a header that is not here": {
    files: {
      "A.iig": iig("A"),
      "A.cpp": `${head}#include "Shared/Glue.h"\n${start("A")}kern_return_t IMPL(A, Stop)\n{\n    return CALL_SUPER_STOP(provider);\n}\n`,
    },
    never: [/FX-STOP-SUPER/],
    isRight: true,
  },
  "Start behind a macro": {
    files: {
      "A.iig": iig("A"),
      "A.cpp": `${head}#define UP Start(provider, SUPERDISPATCH)\nkern_return_t IMPL(A, Start)\n{\n    kern_return_t ret = UP;\n    if (ret == kIOReturnSuccess) RegisterService();\n    return ret;\n}\nkern_return_t IMPL(A, Stop)\n{\n    return Stop(provider, SUPERDISPATCH);\n}\n`,
    },
    never: [/FX-START-SUPER/],
    isRight: true,
  },
  "a macro that has nothing to do with super does not hide that Stop lacks it": {
    files: {
      "A.iig": iig("A"),
      "A.cpp": `${head}#define LOG_STOP os_log(OS_LOG_DEFAULT, "stop")\n${start("A")}kern_return_t IMPL(A, Stop)\n{\n    LOG_STOP;\n    return kIOReturnSuccess;\n}\n`,
    },
    first: "FX-STOP-SUPER",
  },
  "a project for macOS with a device family, and the order of settings does not matter": {
    files: {
      "P/project.pbxproj": project("TARGETED_DEVICE_FAMILY = 1;SDKROOT = macosx;"),
      "open.mm": opener,
    },
    never: [/DR01-2/],
    isRight: true,
  },
  "a project for all platforms": {
    files: {
      "P/project.pbxproj": project(
        'SDKROOT = auto;SUPPORTED_PLATFORMS = "iphoneos macosx";TARGETED_DEVICE_FAMILY = 1;',
      ),
      "open.mm": opener,
    },
    never: [/DR01-2/],
    isRight: true,
  },
  "an Info.plist of a Mac app with a device family": {
    files: {
      "Info.plist": plist({
        CFBundleIdentifier: "org.example.scope",
        CFBundlePackageType: "APPL",
        LSMinimumSystemVersion: "13.0",
        UIDeviceFamily: [1],
      }),
      "open.mm": opener,
    },
    never: [/DR01-2/],
    isRight: true,
  },
  "an app for iPhone is still told": {
    files: {
      "P/project.pbxproj": project("SDKROOT = iphoneos;TARGETED_DEVICE_FAMILY = 1;"),
      "open.mm": opener,
    },
    first: "DR01-2",
  },
  "an app for iPhone whose source is read as such": {
    files: {
      "P/project.pbxproj": project("SDKROOT = iphoneos;TARGETED_DEVICE_FAMILY = 1;"),
      "open.cpp": `#include <IOKit/IOKitLib.h>\n#define NAME "Scope"\nkern_return_t openIt(io_connect_t * connection)\n{\n    io_service_t found = IOServiceGetMatchingService(0, IOServiceMatching(NAME));\n    return IOServiceOpen(found, mach_task_self(), 0, connection);\n}\n`,
    },
    first: "DR01-2",
  },
};

for (const [name, one] of Object.entries(cases)) test(name, () => assertField(one));
