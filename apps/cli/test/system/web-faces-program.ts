// A page's program over navigator.usb, serial and hid, with unplugs in mid-transfer: it runs in a page and here.

import { HidGamepadDevice } from "@drydock/core/devices/hid-gamepad/hid-gamepad-device";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import type { USB } from "@drydock/core/ports/web-usb";
import { PageRig } from "@drydock/core/rigs/page-rig";
import { makeSerialDevice } from "@drydock/core/rigs/serial-rig";

/** What the program knows: the three members, of Drydock's or of a browser's own. */
interface Page {
  readonly navigator: {
    readonly usb: USB;
    readonly serial: PageRig["serial"];
    readonly hid: PageRig["hid"];
  };
}

export interface FacesOutcome {
  readonly said: readonly string[];
  readonly digest: string;
}

const errorName = (error: unknown) => (error instanceof Error ? error.name : String(error));

export async function runFaces(seed: number, turn: () => Promise<void>, page: object): Promise<FacesOutcome> {
  const rig = new PageRig({ seed, turn });
  const gamepad = new HidGamepadDevice({ clock: rig.scheduler });
  const usbPlug = rig.plugIn(new LoopbackDevice(), "usb");
  const hidPlug = rig.plugIn(gamepad, "hid");
  const serialPlug = rig.plugIn(makeSerialDevice("ftdi", { clock: rig.scheduler, pacing: "baud" }), "serial");
  await rig.settle();
  const undo = rig.installGlobals(page);
  const problems: unknown[] = [];
  const runner = rig.runFreely((error) => problems.push(error));
  const said: string[] = [];
  const { usb, serial, hid } = (page as Page).navigator;
  for (const event of ["connect", "disconnect"])
    for (const [name, face] of [
      ["serial", serial],
      ["hid", hid],
    ] as const)
      face.addEventListener(event, () => said.push(`${name} ${event}`));

  const port = await serial.requestPort({ filters: [{ usbVendorId: 0x0403 }] });
  await port.open({ baudRate: 115200 });
  const writer = port.writable?.getWriter();
  const reader = port.readable?.getReader();
  await writer?.write(Uint8Array.from("over the line", (letter) => letter.charCodeAt(0)));
  let text = "";
  while (text.length < 13) text += String.fromCharCode(...((await reader?.read())?.value ?? []));
  said.push(text);
  const reading = reader?.read().catch(errorName);
  const writing = writer?.write(new Uint8Array(2_000_000)).catch(errorName);
  serialPlug.unplug();
  said.push(`read ${await reading}`, `write ${await writing}`);

  const [pad] = await hid.requestDevice({ filters: [{ usagePage: 1, usage: 5 }] });
  await pad.open();
  const input = new Promise<number>((resolve) => {
    pad.oninputreport = ({ reportId }) => resolve(reportId);
  });
  gamepad.setButton(1, true);
  said.push(`report ${await input}`);
  await pad.sendReport(2, Uint8Array.of(10, 20));
  said.push(`rumble ${JSON.stringify(gamepad.rumbles)}`);
  hidPlug.unplug();
  said.push(await pad.sendReport(2, Uint8Array.of(1, 1)).then(String, errorName));

  const device = await usb.requestDevice({ filters: [{ vendorId: 0x1209 }] });
  await device.open();
  await device.selectConfiguration(1);
  await device.claimInterface(0);
  await device.transferOut(1, Uint8Array.of(1, 2, 3));
  said.push(`usb ${(await device.transferIn(1, 64)).data?.byteLength}`);
  const pending = device.transferIn(1, 64).catch(errorName);
  usbPlug.unplug();
  said.push(`usb ${await pending}`, ...problems.map(String));
  runner.stop();
  undo();
  return { said, digest: rig.digest() };
}

type Members = Readonly<Record<string, string>>;

/** Own members of an interface's prototype: what each is, and how many arguments a method wants. */
function membersOf(name: string): Members {
  const prototype = (Reflect.get(globalThis, name) as { prototype: object }).prototype;
  return Object.fromEntries(
    Reflect.ownKeys(prototype).map((key) => {
      const about = Object.getOwnPropertyDescriptor(prototype, key);
      if (about?.get !== undefined || typeof key === "symbol") return [String(key), "attribute"];
      return [key, typeof about?.value === "function" ? "method" : "attribute"];
    }),
  );
}

export const serialAndHid = [
  "Serial",
  "SerialPort",
  "HID",
  "HIDDevice",
  "HIDConnectionEvent",
  "HIDInputReportEvent",
];
const webUsb = (name: string) => name.startsWith("USB");

/** Chromium's own interfaces, and after `installGlobals` ours: names that start so, with their members. */
export function enumerateFaces(): Record<string, Members> {
  const names = Object.getOwnPropertyNames(globalThis).filter(
    (name) => serialAndHid.includes(name) || webUsb(name),
  );
  return Object.fromEntries(names.sort().map((name) => [name, membersOf(name)]));
}

/** Members of Chromium's WebUSB that an object of ours lacks; ours keep some as fields. */
export async function missingOfWebUsb(
  turn: () => Promise<void>,
  chromiums: Record<string, Members>,
): Promise<string[]> {
  const rig = new PageRig({ seed: 1, turn });
  rig.plugIn(new LoopbackDevice(), "usb");
  await rig.settle();
  const device = await rig.usb.requestDevice({ filters: [] });
  const [configuration] = device.configurations;
  const [owner] = configuration.interfaces;
  const objects: Readonly<Record<string, object>> = {
    USB: rig.usb,
    USBDevice: device,
    USBConfiguration: configuration,
    USBInterface: owner,
    USBAlternateInterface: owner.alternate,
    USBEndpoint: owner.alternate.endpoints[0],
  };
  return Object.entries(objects).flatMap(([name, object]) =>
    Object.keys(chromiums[name] ?? { "no such interface": "" }).flatMap((member) =>
      member.startsWith("Symbol") || member in object ? [] : [`${name}.${member}`],
    ),
  );
}
