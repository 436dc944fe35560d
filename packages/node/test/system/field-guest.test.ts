// A Linux guest's own programs on our models: usbtest, hidapi, dfu-util, evtest, ftdi_eeprom and more.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { HidKeyboardDevice } from "@drydock/core/devices/hid-keyboard/hid-keyboard-device";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import type { Listener } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { Avr109Rom } from "../field/avr109-rom.ts";
import { DfuDevice } from "../field/dfu-device.ts";
import { GadgetZero } from "../field/gadget-zero.ts";
import { Stm32Rom } from "../field/stm32-rom.ts";
import { VendorHid } from "../field/vendor-hid.ts";
import { complaints } from "../guest/kernel-complaints.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { missingProgram, runProgram } from "./programs.ts";

/** The library is copied like a program: into the folder where the program below looks for it. */
const hidapi = "/usr/lib/x86_64-linux-gnu/libhidapi-hidraw.so.0";
const options = {
  modules: ["usbtest"],
  // usbtest unlinks in a loop that never sleeps: on one processor the virtual controller's threads would not get a turn.
  qemu: ["-smp", "2"],
  programs: ["dfu-util", "evtest", "ftdi_eeprom", "stm32flash", "avrdude", hidapi],
};
const skip = guestSkip(options) || missingProgram("cc", "gcc");
const longMs = 120_000;

const firmware = Uint8Array.from({ length: 5000 }, (_, index) => (index * 167 + (index >> 7)) & 0xff);

describe("a Linux guest's own programs on our models", { skip }, () => {
  let folder: string;
  let guest: LinuxGuest;
  let rig: UsbExportRig;
  let runner: LiveRunner;
  let listener: Listener;
  const dfu = new DfuDevice();
  const zero = new GadgetZero();
  const stm32 = new Stm32Rom();
  const avr = new Avr109Rom();
  let hid: VendorHid;
  let keyboard: HidKeyboardDevice;

  /** Compiles a program beside the models of these tests, and puts it into the guest. */
  const build = async (name: string, ...words: string[]): Promise<void> => {
    const source = join(import.meta.dirname, `../field/${name}.c`);
    await runProgram("cc", ["-Wall", "-o", join(folder, name), source, ...words]);
    await guest.put(`/bin/${name}`, readFileSync(join(folder, name)));
    await guest.run(`chmod +x /bin/${name}`);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "drydock-field-"));
    rig = new UsbExportRig({ seed: 13, turn: hostTurn, timing: "none", trace: false });
    const clock = rig.scheduler;
    hid = new VendorHid(clock);
    keyboard = new HidKeyboardDevice({ clock });
    const dual = new FtdiDevice({ clock, chip: "ft2232h", pacing: "none", farEnds: [stm32, avr] });
    const single = new FtdiDevice({ clock, pacing: "none", serialNumber: "FIELD01" });
    [dfu, hid, keyboard, zero, dual, single].forEach((device, index) => {
      rig.usb.bus.plugIn(device, index + 1);
    });
    runner = new LiveRunner(clock);
    void runner.start();
    listener = await listenUsbip(rig.server, { port: 0, steps: clock });
    guest = await LinuxGuest.boot(options);
    await guest.put("/tmp/firmware.bin", firmware);
    await guest.run("modprobe -a vhci-hcd usbhid hid-generic evdev ftdi_sio usbtest");
    await guest.clearDmesg();
    for (let number = 1; number <= 6; number++) {
      await guest.attach(listener.port, `1-${number}`);
      // The usbip tool gives up when it looks at a port whose device is still being enumerated.
      const configured = "cat /sys/bus/usb/devices/*-*/bConfigurationValue 2> /dev/null | grep -c 1";
      await guest.waitFor(configured, new RegExp(`^${number}$`));
    }
  });
  after(async () => {
    await guest?.stop();
    rig?.server.close();
    await listener?.close();
    await runner?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  test("dfu-util lists, downloads and uploads", async () => {
    assert.match(await guest.run("dfu-util -l"), /Found DFU: \[1209:df11\].*serial="DFU-1"/);
    await guest.run("head -c 1500 /tmp/firmware.bin > /tmp/dfu.bin; dfu-util -d 1209:df11 -D /tmp/dfu.bin");
    assert.deepEqual(Uint8Array.from(dfu.flash), firmware.slice(0, 1500));
    await guest.run("dfu-util -d 1209:df11 -U /tmp/uploaded.bin");
    assert.deepEqual(Uint8Array.from(await guest.get("/tmp/uploaded.bin")), firmware.slice(0, 1500));
  });

  test("hidapi finds the device, writes, reads, sets and gets a feature report", async () => {
    await build("hidapi", hidapi, "-Wl,-rpath,/usr/bin");
    assert.deepEqual((await guest.run("hidapi")).split("\n"), [
      "Raw HID",
      "written 9",
      "read 9 01fffefdfcfbfaf9f8",
      "set 5",
      "got 5 0309080706",
    ]);
    assert.equal(hid.taken.length, 2);
  });

  test("evtest names the keyboard and prints its keys", async () => {
    const names = "grep -l 'HID keyboard$' /sys/class/input/event*/device/name";
    const [node] = /event\d+/.exec(await guest.waitFor(names, /event\d+/)) ?? [];
    await guest.run(`evtest /dev/input/${node} > /tmp/evtest.txt 2>&1 &`);
    await guest.waitFor("ls -l /proc/$(pidof evtest)/fd", new RegExp(`input/${node}`));
    // A second reader says when the keys are through: scan code, key and synchronisation, twice.
    await guest.run(`dd if=/dev/input/${node} of=/tmp/keys bs=24 count=6 2> /dev/null &`);
    await guest.waitFor("ls -l /proc/$(pidof dd)/fd", new RegExp(`input/${node}`));
    keyboard.press(0x04);
    keyboard.release(0x04);
    await guest.waitFor("stat -c %s /tmp/keys", /^144$/);
    // Its output is a file here, which the C library fills in blocks: it comes out when the program ends.
    await guest.run("sleep 1; kill $(pidof evtest)");
    const said = await guest.waitFor("cat /tmp/evtest.txt", /KEY_A\), value 0/);
    assert.match(said, /Input device ID: bus 0x3 vendor 0x1209/);
    assert.match(said, /type 1 \(EV_KEY\), code 30 \(KEY_A\), value 1/);
  });

  test("ftdi_eeprom reads and decodes an FT232R's EEPROM", async () => {
    const settings = 'vendor_id=0x0403\nproduct_id=0x6001\nfilename="/tmp/eeprom.bin"\nserial="FIELD01"\n';
    await guest.put("/tmp/ftdi.conf", settings);
    const said = await guest.run("ftdi_eeprom --read-eeprom --verbose /tmp/ftdi.conf");
    assert.match(said, /FTDI read eeprom: 0/);
    assert.match(said, /FIELD01/);
  });

  test("stm32flash over an FT2232H's first port: 8E1, erase, write, verify, go", async () => {
    await guest.waitFor("ls /dev", /ttyUSB0/);
    const said = await guest.run("stm32flash -b 57600 -v -w /tmp/firmware.bin -g 0x0 /dev/ttyUSB0", longMs);
    assert.match(said, /STM32F10xxx Medium-density/);
    assert.match(said, /Done\./);
    assert.deepEqual(stm32.flash.subarray(0, firmware.length), firmware);
    assert.deepEqual([stm32.isRunning, stm32.misframed], [true, 0]);
  });

  test("avrdude over an FT2232H's second port: AVR109, write and verify", async () => {
    await guest.put("/tmp/avrdude.conf", readFileSync("/etc/avrdude.conf"));
    const target = "-p m328p -c avr109 -P /dev/ttyUSB1 -b 57600";
    const write = "-D -U flash:w:/tmp/firmware.bin:r";
    const said = await guest.run(`avrdude -C /tmp/avrdude.conf ${target} ${write}`, longMs);
    assert.match(said, /5000 bytes of flash verified/);
    assert.deepEqual(avr.flash.subarray(0, firmware.length), firmware);
  });

  // 15, 16, 22, 23 want isochronous endpoints, 25 and 26 interrupt ones: this device has neither.
  test("usbtest, asked as testusb asks: chapter 9, control, bulk, lists, unlinks, halts", async () => {
    await build("testusb", "-static");
    const find = "cd $(dirname $(grep -l a4a0 /sys/bus/usb/devices/*/idProduct))";
    const place = await guest.run(`${find}; printf '%03d/%03d' $(cat busnum devnum)`);
    const numbers = [...Array(15).keys(), 17, 18, 19, 20, 21, 24, 27, 28];
    const said = await guest.run(`testusb /dev/bus/usb/${place} ${numbers.join(" ")}`, longMs);
    assert.deepEqual(
      said.split("\n"),
      numbers.map((number) => `${number} passed`),
      await guest.run("dmesg | tail -n 20"),
    );
    assert.ok(zero.sunkBytes > 0);
  });

  test("and the kernel complains of nothing", async () => {
    assert.deepEqual(await complaints(guest), []);
  });
});
