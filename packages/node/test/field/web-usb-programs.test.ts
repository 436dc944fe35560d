// WebUSB programs of the field, as they are on npm, on models: serial, wallet, printer, DFU, ADB.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { CdcAcmDevice } from "@drydock/core/devices/cdc-acm/cdc-acm-device";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { LoopbackPlug, ScriptedFarEnd } from "@drydock/core/devices/serial-far-ends";
import { formatTrace } from "@drydock/core/trace/usb-text";
import { Adb, AdbDaemonTransport } from "@yume-chan/adb";
import { until } from "../guest/until.ts";
import { AdbDaemon } from "./adb-daemon.ts";
import { DfuDevice } from "./dfu-device.ts";
import { EspRom } from "./esp-rom.ts";
import { OneInterfaceDevice } from "./one-interface-device.ts";
import { ReceiptPrinter } from "./receipt-printer.ts";
import { withPage } from "./web-programs.ts";

/** Some of these programs talk to the console at every step. */
const said: Partial<Console> = {};
const talk = ["log", "debug", "info", "warn"] as const;
before(() => {
  for (const name of talk) {
    said[name] = console[name];
    console[name] = () => {};
  }
});
after(() => {
  for (const name of talk) console[name] = said[name] ?? console[name];
});

const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 167 + (index >> 7)) & 0xff);

test("web-serial-polyfill: a modem as a Web Serial port: line coding, bytes round, signals, close and open again", {
  timeout: 60_000,
}, async () => {
  await withPage(
    (clock) => new CdcAcmDevice({ clock, farEnd: new LoopbackPlug(), pacing: "none" }),
    async (device) => {
      const { serial } = await import("web-serial-polyfill");
      for (const baudRate of [115_200, 9600]) {
        const port = await serial.requestPort();
        await port.open({ baudRate, dataBits: 7, parity: "even", stopBits: 2 });
        assert.deepEqual(device.uart.format, { baudRate, dataBits: 7, parity: "even", stopBits: 2 });
        const bytes = pattern(5000);
        const writer = port.writable?.getWriter();
        const reader = port.readable?.getReader();
        assert.ok(writer !== undefined && reader !== undefined);
        const written = writer.write(bytes);
        const parts: Uint8Array[] = [];
        let count = 0;
        while (count < bytes.length) {
          const { value } = await reader.read();
          parts.push(value ?? new Uint8Array(0));
          count += value?.length ?? 0;
        }
        await written;
        assert.deepEqual(Uint8Array.from(Buffer.concat(parts)), bytes);
        reader.releaseLock();
        writer.releaseLock();
        await port.setSignals({ dataTerminalReady: false, requestToSend: true, break: true });
        assert.deepEqual([device.uart.dtr, device.uart.rts, device.uart.isBreaking], [false, true, true]);
        await port.setSignals({ break: false });
        assert.equal(device.uart.isBreaking, false);
        await port.close();
      }
    },
  );
});

test("esptool-js over web-serial-polyfill: reset by DTR and RTS, chip and MAC read, flash written", {
  timeout: 60_000,
}, async () => {
  const rom = new EspRom();
  await withPage(
    (clock) => new CdcAcmDevice({ clock, farEnd: rom, pacing: "none" }),
    async () => {
      const { serial } = await import("web-serial-polyfill");
      const { ESPLoader, Transport } = await import("esptool-js");
      const transport = new Transport(await serial.requestPort(), false);
      const loader = new ESPLoader({
        transport,
        baudrate: 115_200,
        terminal: { clean() {}, write() {}, writeLine() {} },
      });
      await loader.detectChip();
      assert.equal(loader.chip.CHIP_NAME, "ESP32");
      assert.equal(await loader.chip.readMac(loader), "24:0a:a4:cf:12:34");
      assert.ok(rom.lines.join(" ").includes("dR"), rom.lines.join(" "));
      const image = pattern(40_000);
      await loader.writeFlash({
        fileArray: [{ data: image, address: 0x10000 }],
        flashMode: "keep",
        flashFreq: "keep",
        flashSize: "keep",
        eraseAll: false,
        compress: false,
      });
      assert.deepEqual(rom.flash.subarray(0x10000, 0x10000 + image.length), image);
      assert.equal(rom.badChecksums, 0);
      await transport.disconnect();
    },
  );
});

/** Frames of 64 bytes: channel, tag 05h, number, in the first one the length; an APDU goes back reversed, then 9000h. */
class Wallet extends OneInterfaceDevice {
  readonly commands: Buffer[] = [];
  #wanted = 0;
  #parts: Uint8Array[] = [];

  constructor() {
    const endpoint = (bEndpointAddress: number) => ({
      bEndpointAddress,
      bmAttributes: 3,
      wMaxPacketSize: 64,
      bInterval: 1,
    });
    super({
      idVendor: 0x2c97,
      idProduct: 0x1011,
      manufacturer: "Drydock",
      product: "Wallet",
      serialNumber: "0001",
      interfaceClass: [0xff, 0xff, 0xff],
      endpoints: [endpoint(0x83), endpoint(0x03)],
    });
  }

  protected override heard(_endpoint: number, bytes: Uint8Array): void {
    const frame = Buffer.from(bytes);
    const isFirst = frame.readUInt16BE(3) === 0;
    if (isFirst) {
      this.#wanted = frame.readUInt16BE(5);
      this.#parts = [];
    }
    this.#parts.push(frame.subarray(isFirst ? 7 : 5));
    const all = Buffer.concat(this.#parts);
    if (all.length < this.#wanted) return;
    const apdu = Buffer.from(all.subarray(0, this.#wanted));
    this.commands.push(apdu);
    const answer = Buffer.concat([Buffer.from(apdu).reverse(), Buffer.of(0x90, 0)]);
    const body = Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 0xff), answer]);
    for (let number = 0; number * 59 < body.length; number++) {
      const reply = Buffer.alloc(64);
      frame.copy(reply, 0, 0, 3);
      reply.writeUInt16BE(number, 3);
      body.copy(reply, 5, number * 59);
      this.say(0x83, reply);
    }
  }
}

type Ledger = typeof import("@ledgerhq/hw-transport-webusb");

test("ledger's hw-transport-webusb: resets, claims, APDUs over several frames both ways, a disconnect event", {
  timeout: 60_000,
}, async () => {
  await withPage(
    () => new Wallet(),
    async (device, rig) => {
      // Its modules for `import` name files without an ending, which only bundlers find.
      const require = createRequire(import.meta.url);
      const { default: TransportWebUSB } = require("@ledgerhq/hw-transport-webusb") as Ledger;
      assert.equal(await TransportWebUSB.isSupported(), true);
      const transport = await TransportWebUSB.request();
      const data = Buffer.from(pattern(200));
      const answer = await transport.send(0xe0, 0x01, 0, 0, data);
      assert.deepEqual(device.commands, [Buffer.concat([Buffer.of(0xe0, 1, 0, 0, 200), data])]);
      assert.deepEqual(answer.subarray(0, 200), Buffer.from(data).reverse());
      await transport.close();
      const again = await TransportWebUSB.openConnected();
      assert.ok(again !== null);
      assert.equal((await again.send(0xb0, 1, 0, 0)).readUInt16BE(5), 0x9000);
      const gone = new Promise((resolve) => again.on("disconnect", resolve));
      rig.bus.unplug(1);
      await gone;
      await assert.rejects(again.send(0xb0, 1, 0, 0));
    },
  );
});

test("webusb-receipt-printer: found by its vendor, prints, hears the printer's status", {
  timeout: 60_000,
}, async () => {
  await withPage(
    () => new ReceiptPrinter(),
    async (device) => {
      // Its manifest has a door for browsers only.
      const door = import.meta.resolve("../../../../node_modules/@point-of-sale/webusb-receipt-printer");
      const { default: WebUSBReceiptPrinter } = await import(`${door}/dist/webusb-receipt-printer.esm.js`);
      const printer = new WebUSBReceiptPrinter();
      const told = (name: string) =>
        new Promise<Record<string, unknown>>((resolve) => printer.addEventListener(name, resolve));
      const connected = told("connected");
      await printer.connect();
      const { productName, language, serialNumber } = await connected;
      assert.deepEqual([productName, language, serialNumber], ["TM-T20", "esc-pos", "R-1"]);
      assert.equal(await printer.listen(), true);
      const receipt = pattern(1000);
      await printer.print(receipt);
      assert.deepEqual(Uint8Array.from(Buffer.concat(device.printed)), receipt);
      const status = told("data");
      await printer.print(Uint8Array.of(0x10, 0x04, 0x01));
      assert.equal(((await status) as unknown as DataView).getUint8(0), 0x16);
      await printer.disconnect();
    },
  );
});

test("webdfu: downloads firmware, manifests it, uploads the same bytes", { timeout: 60_000 }, async () => {
  await withPage(
    () => new DfuDevice(),
    async (device, rig) => {
      const { DFU } = (await import("webdfu")).default;
      await rig.usb.requestDevice({ filters: [{ classCode: 0xfe, subclassCode: 1 }] });
      const [target] = await DFU.findAllDfuInterfaces();
      await target.open();
      const configuration = DFU.parseConfigurationDescriptor(await target.readConfigurationDescriptor(0));
      const { wTransferSize } = configuration.descriptors.find(
        (entry: { bDescriptorType: number }) => entry.bDescriptorType === 0x21,
      );
      const firmware = pattern(1111);
      await target.do_download(wTransferSize, firmware.buffer, true);
      assert.equal(device.manifestations, 1);
      assert.deepEqual(Uint8Array.from(device.flash), firmware);
      await target.open();
      const back: Blob = await target.do_upload(wTransferSize);
      assert.deepEqual(new Uint8Array(await back.arrayBuffer()), firmware);
      await target.close();
    },
  );
});

test("ftdi-js: selects its configuration twice, sets a rate, reads and writes", {
  timeout: 60_000,
}, async () => {
  await withPage(
    (clock) =>
      new FtdiDevice({
        clock,
        pacing: "none",
        farEnds: [new ScriptedFarEnd(clock, [{ afterText: "ping", send: "pong" }])],
      }),
    async (device, rig) => {
      const { default: Ftdi } = await import("ftdi-js");
      const port = new Ftdi(await rig.usb.requestDevice({ filters: [{ vendorId: 0x0403 }] }), {
        baudRate: 19_200,
      });
      await once(port, "ready");
      assert.equal(device.ports[0].uart.baudRate, 19_200);
      let heard = "";
      const answered = new Promise<void>((resolve) => {
        port.addEventListener("data", (event: CustomEvent<Uint8Array>) => {
          heard += Buffer.from(event.detail).toString();
          if (heard.includes("pong")) resolve();
        });
      });
      // It throws its first packet away, whatever is in it: the chip's first word of its state, when nobody is quicker.
      await until(
        "the first packets are over",
        () => formatTrace(rig.trace).split(/bulk in .* ok/).length > 2,
      );
      await port.writeAsync(new TextEncoder().encode("ping"));
      await answered;
      await port.closeAsync();
    },
  );
});

test("@yume-chan/adb-daemon-webusb: an ADB session: connect, a shell, 70,000 bytes back, unplug", {
  timeout: 60_000,
}, async () => {
  const long = pattern(70_000).map((byte) => 0x20 + (byte % 95));
  await withPage(
    () => new AdbDaemon((line) => (line === "cat long" ? long : Buffer.from(`you said ${line}\n`))),
    async (_device, rig) => {
      const { AdbDaemonWebUsbDeviceManager } = await import("@yume-chan/adb-daemon-webusb");
      // biome-ignore lint/suspicious/noExplicitAny: its declarations name a page's own `USB`
      const manager = new AdbDaemonWebUsbDeviceManager(rig.usb as any);
      const device = await manager.requestDevice();
      assert.ok(device !== undefined);
      assert.equal(device.serial, "ADB-1");
      const transport = await AdbDaemonTransport.authenticate({
        serial: device.serial,
        connection: await device.connect(),
        credentialStore: {
          generateKey: () => {
            throw new Error("this daemon asks for no key");
          },
          iterateKeys: () => [],
        },
      });
      const adb = new Adb(transport);
      assert.equal(await adb.subprocess.noneProtocol.spawnWaitText("uptime"), "you said uptime\n");
      assert.equal(await adb.subprocess.noneProtocol.spawnWaitText("cat long"), Buffer.from(long).toString());
      rig.bus.unplug(1);
      await adb.disconnected;
    },
  );
});
