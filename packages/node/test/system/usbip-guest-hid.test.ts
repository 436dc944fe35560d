// A Linux kernel's input drivers run our keyboard and gamepad; our HID driver runs QEMU's and Linux's HID devices.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { specKeyboard } from "@drydock/core/codec/hid-report/golden-descriptors";
import { Led } from "@drydock/core/codec/hid-report/usages";
import { usbipPort } from "@drydock/core/codec/usbip/usbip";
import { HidGamepadDevice } from "@drydock/core/devices/hid-gamepad/hid-gamepad-device";
import { HidKeyboardDevice } from "@drydock/core/devices/hid-keyboard/hid-keyboard-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { type HidListener, HidRig } from "@drydock/core/rigs/hid-rig";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import type { Listener } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { withImportedDevice } from "../guest/imported-device.ts";
import {
  decodeInputEvents,
  decodeJoystickEvents,
  EventType,
  encodeInputEvent,
} from "../guest/input-events.ts";
import { complaints } from "../guest/kernel-complaints.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const skip = guestSkip();

describe("a Linux guest with our keyboard and gamepad", { skip }, () => {
  let guest: LinuxGuest;
  let rig: UsbExportRig;
  let keyboard: HidKeyboardDevice;
  let gamepad: HidGamepadDevice;
  let runner: LiveRunner;
  let listener: Listener;

  /** `event3`: the evdev node of the device called `name`. */
  const evdev = async (name: string): Promise<string> => {
    const path = await guest.waitFor(`grep -l '${name}$' /sys/class/input/event*/device/name`, /event\d+/);
    return /event\d+/.exec(path)?.[0] ?? "";
  };
  /** Copies a device node into a file from now on; the answer waits until it has `records` of `size` bytes. */
  const record = async (node: string, size: number): Promise<(records: number) => Promise<Buffer>> => {
    const file = `/tmp/${node}`;
    await guest.run(`cat /dev/input/${node} > ${file} & echo $! > ${file}.pid`);
    await guest.waitFor(`ls -l /proc/$(cat ${file}.pid)/fd`, new RegExp(`input/${node}`));
    return async (records) => {
      const least = `test $(stat -c %s ${file}) -ge ${records * size} && echo enough || hexdump -C ${file} | tail`;
      await guest.waitFor(least, /enough/);
      return await guest.get(file);
    };
  };

  before(async () => {
    rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none" });
    keyboard = new HidKeyboardDevice({ clock: rig.scheduler });
    gamepad = new HidGamepadDevice({ clock: rig.scheduler });
    rig.usb.bus.plugIn(keyboard, 1);
    rig.usb.bus.plugIn(gamepad, 2);
    runner = new LiveRunner(rig.scheduler);
    void runner.start();
    listener = await listenUsbip(rig.server, { port: 0, steps: rig.scheduler });
    guest = await LinuxGuest.boot();
    await guest.run("modprobe -a vhci-hcd usbhid hid-generic evdev joydev");
    await guest.clearDmesg();
    await guest.attach(listener.port, "1-1");
    // The usbip tool gives up ("open vhci_driver") when it looks at a port whose device is still being enumerated.
    await evdev("HID keyboard");
    await guest.attach(listener.port, "1-2");
  });
  after(async () => {
    await guest?.stop();
    rig?.server.close();
    await listener?.close();
    await runner?.stop();
  });

  test("hid-generic binds both without a complaint", async () => {
    await guest.waitFor("dmesg", /USB HID v1.11 Keyboard \[Drydock HID keyboard\]/);
    await guest.waitFor("dmesg", /USB HID v1.11 Gamepad \[Drydock HID gamepad\]/);
    assert.deepEqual(await complaints(guest), []);
  });

  test("keys arrive as pressed, in order, as evdev bytes", async () => {
    const read = await record(await evdev("HID keyboard"), 24);
    keyboard.press(0xe1); // left shift
    keyboard.press(0x04); // a
    keyboard.release(0x04);
    keyboard.press(0x28); // enter
    keyboard.release(0x28);
    keyboard.release(0xe1);
    // Each with its scan code and a synchronisation.
    const events = decodeInputEvents(await read(18)).filter(({ type }) => type === EventType.key);
    assert.deepEqual(
      events.map(({ code, value }) => [code, value]),
      [
        [42, 1],
        [30, 1],
        [30, 0],
        [28, 1],
        [28, 0],
        [42, 0],
      ],
    );
  });

  test("an LED that the guest sets arrives at the model", async () => {
    const node = await evdev("HID keyboard");
    for (const [value, leds] of [
      [1, 2],
      [0, 0],
    ]) {
      await guest.put("/tmp/led", encodeInputEvent({ type: EventType.led, code: 1, value }));
      await guest.run(`cat /tmp/led > /dev/input/${node}`);
      await until(`the LEDs are ${leds}`, () => keyboard.ledStates.length > 0 && keyboard.leds === leds);
    }
    assert.ok(keyboard.ledStates.includes(2));
  });

  test("axes, hat and buttons arrive as sent: evdev values and js0", async () => {
    const values = await record(await evdev("HID gamepad"), 24);
    const js = await record("js0", 8);
    gamepad.moveAxis("x", -127);
    gamepad.moveAxis("y", 127);
    gamepad.moveAxis("rz", 100);
    gamepad.turnHat(1);
    gamepad.turnHat(null);
    gamepad.setButton(1, true);
    gamepad.setButton(10, true);
    gamepad.setButton(1, false);
    // x, y, rz, hat x and y twice, three buttons with scan codes; eight synchronisations.
    const seen = decodeInputEvents(await values(21)).filter(
      ({ type }) => type === EventType.absolute || type === EventType.key,
    );
    const [absX, absY, absRz, hatX, hatY, south, last] = [0, 1, 5, 16, 17, 0x130, 0x139];
    assert.deepEqual(
      seen.map(({ code, value }) => [code, value]),
      [
        [absX, -127],
        [absY, 127],
        [absRz, 100],
        [hatX, 1],
        [hatY, -1],
        [hatX, 0],
        [hatY, 0],
        [south, 1],
        [last, 1],
        [south, 0],
      ],
    );
    // At open js0 tells six axes and ten buttons.
    const all = decodeJoystickEvents(await js(16 + 10));
    const initial = all.filter(({ isInitial }) => isInitial);
    assert.deepEqual(
      [
        initial.filter(({ kind }) => kind === "axis").length,
        initial.filter(({ kind }) => kind === "button").length,
      ],
      [6, 10],
    );
    const changes = all.filter(({ isInitial }) => !isInitial);
    assert.deepEqual(
      changes
        .filter(({ number, kind }) => kind === "button" || number !== 3)
        .map((one) => [one.kind, one.number, one.value]),
      [
        ["axis", 0, -32767],
        ["axis", 1, 32767],
        ["axis", 4, 32767],
        ["axis", 5, -32767],
        ["axis", 4, 0],
        ["axis", 5, 0],
        ["button", 0, 1],
        ["button", 9, 1],
        ["button", 0, 0],
      ],
    );
    // Between the ends js0 corrects for a dead zone of its own: the sign and the order are what can be compared.
    const partial = changes.find(({ kind, number }) => kind === "axis" && number === 3);
    assert.ok(partial !== undefined && partial.value > 20_000 && partial.value < 32_767);
  });

  test("unplugged while open, both go, and the guest has nothing to complain of", async () => {
    rig.usb.bus.unplug(1);
    rig.usb.bus.unplug(2);
    await guest.waitFor("cat /proc/bus/input/devices; echo end", /^(?![\s\S]*Drydock)[\s\S]*end/);
    assert.deepEqual(await complaints(guest), []);
  });
});

/** QEMU's machine protocol: one command after the other. */
class Monitor {
  readonly #socket: Socket;
  #text = "";

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on("data", (text) => {
      this.#text += text.toString();
    });
  }

  async command(execute: string, args: object = {}): Promise<void> {
    await until("QEMU's monitor greets", () => this.#text.includes('"QMP"'));
    this.#text = this.#text.slice(0, this.#text.indexOf('"QMP"') + 5);
    this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    await until(`QEMU answers ${execute}`, () => /"(return|error)"/.test(this.#text));
    assert.doesNotMatch(this.#text, /"error"/);
  }

  /** Input as a person at the machine would make it. */
  input(events: readonly object[]): Promise<void> {
    return this.command("input-send-event", { events });
  }

  close(): void {
    this.#socket.destroy();
  }
}

const qemuKey = (qcode: string, down: boolean) => ({
  type: "key",
  data: { down, key: { type: "qcode", data: qcode } },
});
const qemuAxis = (axis: "x" | "y", value: number) => ({ type: "abs", data: { axis, value } });
const qemuButton = (button: string, down: boolean) => ({ type: "btn", data: { down, button } });

describe("our HID driver on devices that nobody here wrote", { skip }, () => {
  let guest: LinuxGuest;
  let monitor: Monitor;
  let folder: string;

  /** The guest's device with that product string, offered and imported: our driver's listener. */
  const drive = async (
    product: string,
    body: (listener: HidListener, rig: HidRig) => Promise<void>,
  ): Promise<void> => {
    const rig = new HidRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), devices: [] });
    await withImportedDevice(guest, product, rig, async (giveBack) => {
      await until(`an input of ${product} comes up`, () => rig.inputs.length > 0);
      const [first] = rig.inputs;
      await body(first.listener, rig);
      giveBack();
      await until("the driver has let go", () => first.listener.goneCount === 1);
    });
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "drydock-hid-"));
    const socket = join(folder, "qmp");
    guest = await LinuxGuest.boot({
      forward: [usbipPort],
      qemu: [
        ...["-qmp", `unix:${socket},server=on,wait=off`],
        ...["-device", "qemu-xhci,id=x", "-device", "usb-kbd,bus=x.0", "-device", "usb-tablet,bus=x.0"],
      ],
    });
    monitor = new Monitor(socket);
    await monitor.command("qmp_capabilities");
    await guest.run("modprobe -a xhci-pci");
  });
  after(async () => {
    monitor?.close();
    await guest?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  test("QEMU's usb-kbd: keys that its monitor presses", async () => {
    await drive("QEMU USB Keyboard", async (listener) => {
      for (const [qcode, down] of [
        ["shift", true],
        ["a", true],
        ["a", false],
        ["shift", false],
        ["ret", true],
        ["ret", false],
      ] as const)
        await monitor.input([qemuKey(qcode, down)]);
      await until("six key events", () => listener.events.length >= 6);
      assert.deepEqual(listener.keys(), ["+e1", "+04", "-04", "-e1", "+28", "-28"]);
    });
  });

  test("QEMU's usb-tablet: where its monitor points, and its buttons", async () => {
    await drive("QEMU USB Tablet", async (listener) => {
      const seen: string[] = [];
      for (const [x, y, button, down] of [
        [0, 0, "left", false],
        [32767, 0, "left", true],
        [16384, 8192, "right", true],
        [100, 32767, "left", false],
      ] as const) {
        await monitor.input([qemuAxis("x", x), qemuAxis("y", y), qemuButton(button, down)]);
        const at = (): string => {
          const event = listener.events.at(-1);
          if (event?.kind !== "absolute-pointer") return "nothing";
          return `${Math.round(event.x * 32767)},${Math.round(event.y * 32767)}`;
        };
        // The very first position may be where the tablet is already.
        if (seen.length > 0) await until(`the pointer is at ${x},${y}`, () => at() === `${x},${y}`);
        seen.push(at());
      }
      await until("the buttons are as pressed", () => {
        const event = listener.events.at(-1);
        return event?.kind === "absolute-pointer" && event.buttons === 2;
      });
      assert.deepEqual(seen.slice(1), ["32767,0", "16384,8192", "100,32767"]);
    });
  });

  test("Linux's f_hid gadget: its reports become our events, our LEDs its report", async () => {
    await guest.put("/tmp/descriptor", Buffer.from(specKeyboard));
    await guest.run(
      "modprobe dummy_hcd num=1 is_super_speed=0 && modprobe libcomposite && mount -t configfs c /sys/kernel/config",
    );
    await guest.run(
      `g=/sys/kernel/config/usb_gadget/g1; mkdir $g; echo 0x1209 > $g/idVendor; echo 0x0005 > $g/idProduct
       mkdir $g/strings/0x409; echo 'Linux HID gadget' > $g/strings/0x409/product; mkdir $g/configs/c.1
       mkdir $g/functions/hid.0; f=$g/functions/hid.0
       echo 1 > $f/protocol; echo 1 > $f/subclass; echo 8 > $f/report_length; cat /tmp/descriptor > $f/report_desc
       ln -s $f $g/configs/c.1/; ls /sys/class/udc | head -1 > $g/UDC`,
    );
    await drive("Linux HID gadget", async (listener, rig) => {
      for (const report of ["02 00 04 00 00 00 00 00", "00 00 00 00 00 00 00 00"]) {
        await guest.put("/tmp/report", Buffer.from(report.replaceAll(" ", ""), "hex"));
        await guest.run("cat /tmp/report > /dev/hidg0");
      }
      await until("four key events", () => listener.events.length >= 4);
      assert.deepEqual(listener.keys().sort(), ["+04", "+e1", "-04", "-e1"]);
      await guest.run("dd if=/dev/hidg0 of=/tmp/leds bs=1 count=1 2>/dev/null &");
      rig.inputs[0].input.setLed(Led.capsLock, true);
      await guest.waitFor("hexdump -C /tmp/leds", /00000000 {2}02 /);
      assert.equal(rig.inputs[0].input.lastFailure, null);
    });
  });
});
