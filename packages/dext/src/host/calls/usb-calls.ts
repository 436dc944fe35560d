// USBDriverKit: devices, interfaces and pipes, over the same family as drivers in TypeScript.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import { configurationBytes } from "@drydock/core/codec/usb/configuration-view";
import { type Endpoint, encodeDeviceDescriptor } from "@drydock/core/codec/usb/descriptors";
import { IOUSBHostDevice } from "@drydock/core/families/usb/io-usb-host-device";
import { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import { IOError } from "@drydock/core/runtime/io-error";
import { IOBufferMemoryDescriptor, type IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { DextTrap } from "../trouble.ts";
import { dropForAction, holdForAction } from "./action-calls.ts";
import { callsOf, plain, plainWaiting, status, statusWaiting } from "./host-call.ts";
import { bufferOrNull, giveBuffer } from "./memory-calls.ts";
import { service } from "./service-calls.ts";
import { completion, dropRing, noteTransfer, pipe, pipeBatchCalls } from "./usb-pipe-calls.ts";

const languageEnglish = 0x0409;
/** Bits of a port's status that are set for a device which works, and where its speed stands. */
const portEnabled = 0x1000;
const speedShift = 8;

function device(cxx: CxxProcess, self: number): IOUSBHostDevice {
  const host = cxx.hostAs(self, IOUSBHostDevice);
  if (host === null) throw new DextTrap("a call on an IOUSBHostDevice that is none", cxx.here());
  return host;
}

function usbInterface(cxx: CxxProcess, self: number): IOUSBHostInterface {
  const host = cxx.hostAs(self, IOUSBHostInterface);
  if (host === null) throw new DextTrap("a call on an IOUSBHostInterface that is none", cxx.here());
  return host;
}

/** Descriptors that the dext must free with IOUSBHostFreeDescriptor, by address. */
const copied = new WeakMap<CxxProcess, Set<number>>();
function giveDescriptor(cxx: CxxProcess, name: string, bytes: Uint8Array | null): number {
  if (bytes === null || bytes.length === 0 || cxx.mustFail(name)) return 0;
  const at = cxx.place(bytes);
  const known = copied.get(cxx) ?? new Set<number>();
  copied.set(cxx, known);
  known.add(at);
  return at;
}

/** Descriptors of a dext that nobody has freed. */
export function unfreedDescriptors(cxx: CxxProcess): ReadonlySet<number> {
  return copied.get(cxx) ?? new Set();
}

/** Null, for the dext, when the device refuses. */
async function stringDescriptor(
  cxx: CxxProcess,
  name: string,
  from: IOUSBHostDevice,
  index: number,
  languageId: number,
): Promise<number> {
  try {
    const bytes = await from.copyDescriptor(3, index, languageId, 255);
    return giveDescriptor(cxx, name, bytes.length < 2 ? null : bytes);
  } catch (error) {
    return nullOf(error);
  }
}

function nullOf(error: unknown): 0 {
  if (error instanceof IOError) return 0;
  throw error;
}

/** The buffer of a control request, in order of its parameters. */
type RequestValues = [
  self: number,
  type: number,
  request: number,
  value: number,
  index: number,
  length: number,
  buffer: number,
];

/** USB 2.0 §9.3.1: bit 7 of bmRequestType says that the device sends. */
function noteRequest(
  cxx: CxxProcess,
  call: string,
  requestType: number,
  length: number,
  memory: IOMemoryDescriptor | null,
): void {
  if ((requestType & 0x80) === 0 && length > 0 && memory !== null)
    cxx.noteSent(call, memory.bytes.subarray(0, length));
}

async function deviceRequest(
  cxx: CxxProcess,
  values: RequestValues,
  transferred: number,
  timeoutMs: number,
  client: number,
): Promise<undefined> {
  const [self, type, request, value, index, length, buffer] = values;
  const memory = bufferOrNull(cxx, buffer);
  noteRequest(cxx, "DeviceRequest", type, length, memory);
  const host = cxx.hostOf(self);
  const count =
    host instanceof IOUSBHostDevice
      ? await host.deviceRequest(
          service(cxx, client),
          type,
          request,
          value,
          index,
          length,
          memory,
          timeoutMs >>> 0,
        )
      : await usbInterface(cxx, self).deviceRequest(
          type,
          request,
          value,
          index,
          length,
          memory,
          timeoutMs >>> 0,
        );
  if (transferred !== 0) cxx.memory.setU16(transferred, count);
  return undefined;
}

function asyncDeviceRequest(
  cxx: CxxProcess,
  values: RequestValues,
  action: number,
  timeoutMs: number,
  client: number,
): IOReturn {
  const [self, type, request, value, index, length, buffer] = values;
  const done = completion(cxx, action);
  if (done === null) return IOReturns.kIOReturnBadArgument;
  const memory = bufferOrNull(cxx, buffer);
  noteRequest(cxx, "AsyncDeviceRequest", type, length, memory);
  const host = cxx.hostOf(self);
  holdForAction(cxx, done, action, buffer);
  const accepted =
    host instanceof IOUSBHostDevice
      ? host.asyncDeviceRequest(
          service(cxx, client),
          type,
          request,
          value,
          index,
          length,
          memory,
          done,
          timeoutMs >>> 0,
        )
      : usbInterface(cxx, self).asyncDeviceRequest(
          type,
          request,
          value,
          index,
          length,
          memory,
          done,
          timeoutMs >>> 0,
        );
  if (accepted !== IOReturns.kIOReturnSuccess) dropForAction(cxx, done);
  return accepted;
}

/** A buffer of the family's, which is the kernel's: it lies in the dext's memory all the same. */
function createIOBuffer(cxx: CxxProcess, options: number, capacity: bigint, at: number): number | undefined {
  const made = IOBufferMemoryDescriptor.create(cxx.kernelSpace, options >>> 0, Number(capacity), 0);
  return giveBuffer(cxx, made.value, made.status, at);
}

function frameNumber(cxx: CxxProcess, frame: number, time: number): undefined {
  const now = cxx.kernel.scheduler.nowNs();
  cxx.memory.setU64(frame, BigInt(Math.floor(now / 1_000_000)));
  if (time !== 0) cxx.memory.setU64(time, BigInt(Math.floor(now)));
  return undefined;
}

/** What devices and interfaces have alike; `deviceOf` finds the device that is meant. */
function callsOfBoth(
  className: "IOUSBHostDevice" | "IOUSBHostInterface",
  deviceOf: (cxx: CxxProcess, self: number) => IOUSBHostDevice,
): HostCalls {
  const copyString = async (cxx: CxxProcess, self: number, index: number, language: number) =>
    stringDescriptor(cxx, `${className}.CopyStringDescriptor`, deviceOf(cxx, self), index, language);
  return callsOf(className, {
    GetFrameNumber: status((cxx, _self: number, frame: number, time: number) =>
      frameNumber(cxx, frame, time),
    ),
    CopyStringDescriptor: plainWaiting(copyString),
    "CopyStringDescriptor.2": plainWaiting((cxx, self: number, index: number) =>
      copyString(cxx, self, index, languageEnglish),
    ),
    CreateIOBuffer: status(
      (cxx, _self: number, options: number, capacity: bigint, buffer: number) =>
        createIOBuffer(cxx, options, capacity, buffer),
      IOReturns.kIOReturnNoMemory,
    ),
    GetPortStatus: status(
      (cxx, self: number, state: number) =>
        void cxx.memory.setU32(state, portEnabled | (deviceOf(cxx, self).getSpeed() << speedShift)),
    ),
  });
}

export const usbCalls: HostCalls = {
  ...callsOfBoth("IOUSBHostDevice", device),
  ...callsOfBoth("IOUSBHostInterface", (cxx, self) => usbInterface(cxx, self).device),
  ...callsOf("IOUSBHostDevice", {
    Open: status((cxx, self: number, client: number) => void device(cxx, self).open(service(cxx, client))),
    Close: status((cxx, self: number, client: number) => void device(cxx, self).close(service(cxx, client))),
    CopyDescriptor: statusWaiting(
      async (
        cxx,
        self: number,
        type: number,
        length: number,
        index: number,
        language: number,
        requestType: number,
        recipient: number,
        into: number,
      ) => {
        const room = cxx.memory.u16(length);
        const bytes = await device(cxx, self).copyDescriptor(
          type,
          index,
          language,
          room,
          requestType << 5,
          recipient,
        );
        cxx.memory.view(into, bytes.length).set(bytes);
        cxx.memory.setU16(length, bytes.length);
        return undefined;
      },
    ),
    CopyDeviceDescriptor: plain((cxx, self: number) =>
      giveDescriptor(
        cxx,
        "IOUSBHostDevice.CopyDeviceDescriptor",
        encodeDeviceDescriptor(device(cxx, self).deviceDescriptor),
      ),
    ),
    CopyConfigurationDescriptor: plain((cxx, self: number, index: number) => {
      const host = device(cxx, self);
      return copyConfiguration(cxx, () => configurationBytes(host.copyConfigurationDescriptor(index)));
    }),
    CopyConfigurationDescriptorWithValue: plain((cxx, self: number, value: number) => {
      const host = device(cxx, self);
      return copyConfiguration(cxx, () =>
        configurationBytes(host.copyConfigurationDescriptorWithValue(value)),
      );
    }),
    "CopyConfigurationDescriptor.2": plain((cxx, self: number) => {
      const { configuration } = device(cxx, self);
      return copyConfiguration(cxx, () =>
        configuration === null ? null : configurationBytes(configuration),
      );
    }),
    AsyncDeviceRequest: status(
      (
        cxx,
        self: number,
        client: number,
        type: number,
        request: number,
        value: number,
        index: number,
        length: number,
        buffer: number,
        action: number,
        timeout: number,
      ) =>
        asyncDeviceRequest(cxx, [self, type, request, value, index, length, buffer], action, timeout, client),
    ),
    DeviceRequest: statusWaiting(
      async (
        cxx,
        self: number,
        client: number,
        type: number,
        request: number,
        value: number,
        index: number,
        length: number,
        buffer: number,
        transferred: number,
        timeout: number,
      ) =>
        deviceRequest(cxx, [self, type, request, value, index, length, buffer], transferred, timeout, client),
    ),
    AbortDeviceRequests: status(
      (cxx, self: number, client: number, _options: number, code: number) =>
        void device(cxx, self).abortDeviceRequests(service(cxx, client), (code >>> 0) as IOReturn),
    ),
    SetConfiguration: statusWaiting(async (cxx, self: number, value: number, match: number) => {
      await device(cxx, self).setConfiguration(value, match !== 0);
      return undefined;
    }),
    GetAddress: status(
      (cxx, self: number, address: number) => void cxx.memory.setU8(address, device(cxx, self).getAddress()),
    ),
    GetSpeed: status(
      (cxx, self: number, speed: number) => void cxx.memory.setU8(speed, device(cxx, self).getSpeed()),
    ),
    Reset: status((cxx, self: number) => void device(cxx, self).reset()),
    CreateInterfaceIterator: status(
      (cxx, self: number, reference: number) =>
        void cxx.memory.setU32(reference, device(cxx, self).createInterfaceIterator()),
    ),
    DestroyInterfaceIterator: status(
      (cxx, self: number, reference: number) => void device(cxx, self).destroyInterfaceIterator(reference),
    ),
    CopyInterface: status((cxx, self: number, reference: number, found: number) => {
      const next = device(cxx, self).copyInterface(reference);
      cxx.memory.setU32(found, next === null ? 0 : cxx.handOutService(next));
      return undefined;
    }),
  }),
  ...callsOf("IOUSBHostInterface", {
    Open: statusWaiting(async (cxx, self: number, client: number, options: number, argument: number) => {
      await usbInterface(cxx, self).open(service(cxx, client), options >>> 0, argument);
      return undefined;
    }),
    Close: status(
      (cxx, self: number, client: number) => void usbInterface(cxx, self).close(service(cxx, client)),
    ),
    CopyConfigurationDescriptor: plain((cxx, self: number) => {
      const host = usbInterface(cxx, self);
      return copyConfiguration(cxx, () => configurationBytes(host.copyConfigurationDescriptor()));
    }),
    GetInterfaceDescriptor: plain((cxx, self: number, configuration: number) =>
      findInterface(cxx, usbInterface(cxx, self), configuration),
    ),
    CopyPipe: status((cxx, self: number, address: number, found: number) => {
      const host = usbInterface(cxx, self).copyPipe(address);
      cxx.memory.setU32(
        found,
        cxx.handOut(host, "IOUSBHostPipe", () => dropRing(cxx, host)),
      );
      return undefined;
    }),
    SelectAlternateSetting: statusWaiting(async (cxx, self: number, setting: number) => {
      await usbInterface(cxx, self).selectAlternateSetting(setting);
      return undefined;
    }),
    SetIdlePolicy: status(
      (cxx, self: number, ms: number) => void usbInterface(cxx, self).setIdlePolicy(ms >>> 0),
    ),
    GetIdlePolicy: status(
      (cxx, self: number, ms: number) => void cxx.memory.setU32(ms, usbInterface(cxx, self).getIdlePolicy()),
    ),
    CopyDevice: status(
      (cxx, self: number, found: number) =>
        void cxx.memory.setU32(found, cxx.handOutService(usbInterface(cxx, self).copyDevice())),
    ),
    AsyncDeviceRequest: status(
      (
        cxx,
        self: number,
        type: number,
        request: number,
        value: number,
        index: number,
        length: number,
        buffer: number,
        action: number,
        timeout: number,
      ) => asyncDeviceRequest(cxx, [self, type, request, value, index, length, buffer], action, timeout, 0),
    ),
    DeviceRequest: statusWaiting(
      async (
        cxx,
        self: number,
        type: number,
        request: number,
        value: number,
        index: number,
        length: number,
        buffer: number,
        transferred: number,
        timeout: number,
      ) => deviceRequest(cxx, [self, type, request, value, index, length, buffer], transferred, timeout, 0),
    ),
    AbortDeviceRequests: status(
      (cxx, self: number, _options: number, code: number) =>
        void usbInterface(cxx, self).abortDeviceRequests((code >>> 0) as IOReturn),
    ),
  }),
  ...callsOf("IOUSBHostPipe", {
    GetSpeed: status(
      (cxx, self: number, speed: number) => void cxx.memory.setU8(speed, pipe(cxx, self).getSpeed()),
    ),
    GetDeviceAddress: status(
      (cxx, self: number, address: number) =>
        void cxx.memory.setU8(address, pipe(cxx, self).interface.device.getAddress()),
    ),
    Abort: statusWaiting(async (cxx, self: number, options: number, code: number) => {
      await pipe(cxx, self).abort(options, (code >>> 0) as IOReturn);
      return undefined;
    }),
    AdjustPipe: status(() => IOReturns.kIOReturnUnsupported),
    GetDescriptors: status((cxx, self: number, into: number) => {
      const host = pipe(cxx, self);
      const endpoint = host.interface.setting.endpoints.find(
        (each) => each.descriptor.bEndpointAddress === host.address,
      );
      if (endpoint === undefined) return IOReturns.kIOReturnNotFound;
      writeEndpoint(cxx, into, endpoint);
      return undefined;
    }),
    SetIdlePolicy: status((cxx, self: number, ms: number) => void pipe(cxx, self).setIdlePolicy(ms >>> 0)),
    GetIdlePolicy: status(
      (cxx, self: number, ms: number) => void cxx.memory.setU32(ms, pipe(cxx, self).getIdlePolicy()),
    ),
    ClearStall: statusWaiting(async (cxx, self: number, withRequest: number) => {
      await pipe(cxx, self).clearStall(withRequest !== 0);
      return undefined;
    }),
    IO: statusWaiting(
      async (cxx, self: number, buffer: number, length: number, transferred: number, timeout: number) => {
        const memory = bufferOrNull(cxx, buffer);
        if (memory === null) return IOReturns.kIOReturnBadArgument;
        noteTransfer(cxx, "IO", pipe(cxx, self), memory, length >>> 0);
        const count = await pipe(cxx, self).io(memory, length >>> 0, timeout >>> 0);
        if (transferred !== 0) cxx.memory.setU32(transferred, count);
        return undefined;
      },
    ),
    AsyncIO: status((cxx, self: number, buffer: number, length: number, action: number, timeout: number) => {
      const done = completion(cxx, action);
      const memory = bufferOrNull(cxx, buffer);
      if (memory === null || done === null) return IOReturns.kIOReturnBadArgument;
      noteTransfer(cxx, "AsyncIO", pipe(cxx, self), memory, length >>> 0);
      holdForAction(cxx, done, action, buffer);
      const accepted = pipe(cxx, self).asyncIO(memory, length >>> 0, done, timeout >>> 0);
      if (accepted !== IOReturns.kIOReturnSuccess) dropForAction(cxx, done);
      return accepted;
    }),
  }),
  ...pipeBatchCalls,
  ...callsOf("drydock", {
    IOUSBHostFreeDescriptor: plain((cxx, at: number) => {
      if (at === 0) return undefined;
      if (copied.get(cxx)?.delete(at) !== true)
        throw new DextTrap("IOUSBHostFreeDescriptor of what is no copied descriptor", cxx.here());
      cxx.unplace(at);
      return undefined;
    }),
  }),
};

function copyConfiguration(cxx: CxxProcess, read: () => Uint8Array | null): number {
  try {
    return giveDescriptor(cxx, "CopyConfigurationDescriptor", read());
  } catch (error) {
    return nullOf(error);
  }
}

/** The descriptor of this interface and its setting, inside of the configuration that the dext holds. */
function findInterface(cxx: CxxProcess, host: IOUSBHostInterface, configuration: number): number {
  if (configuration === 0) return 0;
  const { bAlternateSetting, bInterfaceNumber } = host.getInterfaceDescriptor();
  const end = configuration + cxx.memory.u16(configuration + 2);
  for (let at = configuration; at + 2 <= end; at += Math.max(2, cxx.memory.u8(at))) {
    const isIt =
      cxx.memory.u8(at + 1) === 4 &&
      cxx.memory.u8(at + 2) === bInterfaceNumber &&
      cxx.memory.u8(at + 3) === bAlternateSetting;
    if (isIt) return at;
  }
  return 0;
}

/** IOUSBStandardEndpointDescriptors: bcdUSB, then the packed descriptors. */
function writeEndpoint(cxx: CxxProcess, into: number, { companion, descriptor: found }: Endpoint): void {
  const { memory } = cxx;
  memory.view(into, 24).fill(0);
  memory.setU16(into, companion === null ? 0x0200 : 0x0300);
  const at = into + 2;
  memory.setU8(at, 7);
  memory.setU8(at + 1, 5);
  memory.setU8(at + 2, found.bEndpointAddress);
  memory.setU8(at + 3, found.bmAttributes);
  memory.setU16(at + 4, found.wMaxPacketSize);
  memory.setU8(at + 6, found.bInterval);
  if (companion === null) return;
  memory.setU8(at + 7, 6);
  memory.setU8(at + 8, 48);
  memory.setU8(at + 9, companion.bMaxBurst);
  memory.setU8(at + 10, companion.bmAttributes);
  memory.setU16(at + 11, companion.wBytesPerInterval);
}
