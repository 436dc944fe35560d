// A Linux kernel's own drivers run our serial devices over USB/IP: ftdi_sio and cdc_acm.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { LoopbackPlug } from "@drydock/core/devices/serial-far-ends";
import { noModemInputs } from "@drydock/core/devices/uart";
import { ExportedSerialRig } from "../guest/exported-rig.ts";
import { complaints } from "../guest/kernel-complaints.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { MeasuredFarEnd } from "../guest/measured-far-end.ts";
import { until } from "../guest/until.ts";

const programs = ["picocom"];
const skip = guestSkip({ programs });

const total = 4 << 20;
const longMs = 120_000;

const baudRates = [
  300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600,
  1000000, 1500000, 2000000, 3000000,
];

describe("a Linux guest", { skip }, () => {
  let rig: ExportedSerialRig;
  let guest: LinuxGuest;
  let port = 0;
  let ftdiAt = 0;
  let acmAt = 0;

  const uartOf = (tty: "ttyUSB0" | "ttyACM0") => (tty === "ttyACM0" ? rig.acm.uart : rig.ftdi.ports[0].uart);
  const attach = async (): Promise<void> => {
    ftdiAt = await guest.attach(port, "1-1");
    acmAt = await guest.attach(port, "1-2");
    await guest.waitFor("ls /dev", /ttyACM0[\s\S]*ttyUSB0/);
  };

  before(async () => {
    rig = new ExportedSerialRig();
    port = await rig.listen();
    guest = await LinuxGuest.boot({ programs });
    await guest.run("modprobe -a vhci-hcd ftdi_sio cdc-acm");
    await guest.clearDmesg();
    await attach();
  });
  after(async () => {
    await guest?.stop();
    await rig?.stop();
  });

  test("binds ftdi_sio and cdc_acm without a complaint", async () => {
    const dmesg = await guest.dmesg();
    assert.match(dmesg, /FTDI USB Serial Device converter now attached to ttyUSB0/);
    assert.match(dmesg, /Detected FT232R/);
    assert.match(dmesg, /cdc_acm .*ttyACM0: USB ACM device/);
    assert.deepEqual(await complaints(guest), []);
    const listed = await guest.run(`usbip --tcp-port ${port} list -r 10.0.2.2`);
    assert.match(listed, /1-1:[\s\S]*0403:6001[\s\S]*1-2:[\s\S]*1209:0001/);
  });

  for (const tty of ["ttyUSB0", "ttyACM0"] as const) {
    const seen = () => {
      if (tty === "ttyACM0") {
        const { lineCoding: c, dtr, rts, isBreaking } = rig.acm.observe();
        return {
          baud: c.dwDTERate,
          bits: c.bDataBits,
          parity: c.bParityType,
          stop: c.bCharFormat,
          dtr,
          rts,
          isBreaking,
        };
      }
      const { baudRate, dataBits, parity, stop, dtr, rts, isBreaking } = rig.ftdi.observe();
      return { baud: baudRate, bits: dataBits, parity, stop, dtr, rts, isBreaking };
    };

    test(`every line setting of ${tty} arrives as set`, async () => {
      // Held open, so that each stty changes a line in use.
      await guest.run(`exec 7<>/dev/${tty}; stty raw -echo -crtscts < /dev/${tty}`);
      assert.deepEqual([seen().dtr, seen().rts], [true, true], "open raises DTR and RTS");
      for (const baud of baudRates) {
        await guest.run(`stty ${baud} < /dev/${tty}`);
        const off = Math.abs(seen().baud - baud) / baud;
        // A CDC device is told the number; an FTDI chip gets the nearest divisor (AN232B-05: within 3 %).
        assert.ok(tty === "ttyACM0" ? off === 0 : off <= 0.03, `${baud} arrived as ${seen().baud}`);
      }
      await guest.run(`stty 9600 < /dev/${tty}`);
      const parities: [string, number][] = [
        ["-parenb", 0],
        ["parenb parodd -cmspar", 1],
        ["parenb -parodd -cmspar", 2],
        ["parenb parodd cmspar", 3],
        ["parenb -parodd cmspar", 4],
      ];
      for (const bits of tty === "ttyACM0" ? [5, 6, 7, 8] : [7, 8]) {
        for (const [words, parity] of parities) {
          for (const stop of [1, 2]) {
            await guest.run(`stty cs${bits} ${words} ${stop === 2 ? "cstopb" : "-cstopb"} < /dev/${tty}`);
            const is = seen();
            assert.deepEqual([is.bits, is.parity, is.stop], [bits, parity, stop === 2 ? 2 : 0], words);
          }
        }
      }
      if (tty === "ttyUSB0") {
        // The chip has no 5 and 6 bits: the driver keeps what it had, and the model is never asked.
        await guest.tryRun(`stty cs5 < /dev/${tty}`);
        assert.equal(seen().bits, 8);
        const refused = "ftdi_sio ttyUSB0: ftdi_set_termios FAILED to set databits/stopbits/parity";
        assert.deepEqual(await complaints(guest), [refused]);
        await guest.clearDmesg();
      }
      await guest.run(`stty cs8 -parenb -cstopb < /dev/${tty}; exec 7>&-`);
      assert.deepEqual([seen().dtr, seen().rts], [false, false], "close drops both");
    });

    test(`break and each modem line of ${tty} arrive`, async () => {
      const told: string[] = [];
      const uart = uartOf(tty);
      const watch = (): void => {
        const text =
          `${uart.isBreaking ? "break " : ""}${uart.dtr ? "DTR " : ""}${uart.rts ? "RTS" : ""}`.trim();
        if (told.at(-1) !== text) told.push(text);
      };
      rig.rig.scheduler.onStep = watch;
      // C-a C-\ sends a break, C-a C-t toggles DTR, C-a C-g RTS, C-a C-x ends.
      const keys = "\\001\\034 \\001\\024 \\001\\024 \\001\\007 \\001\\007 \\001\\030".split(" ");
      const typed = keys.map((key) => `printf '${key}'; sleep 0.4;`).join(" ");
      await guest.run(`(sleep 0.6; ${typed}) | picocom -q -b 115200 /dev/${tty}`);
      rig.rig.scheduler.onStep = null;
      const all = told.join(", ");
      assert.match(all, /DTR RTS, break DTR RTS, DTR RTS/, all);
      assert.match(all, /DTR RTS, RTS, DTR RTS/, all);
      assert.match(all, /DTR RTS, DTR, DTR RTS/, all);
    });

    test(`CTS, DSR, RI and DCD of the model are what a program on ${tty} reads`, async () => {
      const uart = uartOf(tty);
      await guest.run(`rm -f /tmp/keys /tmp/lines; mkfifo /tmp/keys
        picocom -q -b 115200 /dev/${tty} < /tmp/keys > /tmp/lines 2>&1 & exec 8> /tmp/keys`);
      // Nobody but this test moves the lines; the driver has raised its own.
      uart.connect(new MeasuredFarEnd(rig.rig.scheduler));
      await until("picocom has the port open", () => uart.dtr && uart.rts);
      const lines = [
        { ...noModemInputs, cts: true },
        { ...noModemInputs, dsr: true },
        { ...noModemInputs, ri: true },
        { ...noModemInputs, dcd: true },
        { cts: true, dsr: true, ri: true, dcd: true },
        noModemInputs,
      ];
      for (const inputs of lines) {
        uart.setModemInputs(inputs);
        // SERIAL_STATE carries no CTS (PSTN120 table 31): Linux always says it is there.
        const cts = inputs.cts || tty === "ttyACM0";
        const bit = (on: boolean): string => (on ? "1" : "0");
        const wanted = `DTR:1 DSR:${bit(inputs.dsr)} DCD:${bit(inputs.dcd)} RTS:1 CTS:${bit(cts)} RI:${bit(inputs.ri)}`;
        // C-a C-v shows the lines, which picocom asks of the driver by TIOCMGET.
        const ask = "printf '\\001\\026' >&8; sleep 0.1; grep -a DTR: /tmp/lines | tail -n 1";
        await guest.waitFor(ask, new RegExp(wanted));
      }
      await guest.run("printf '\\001\\030' >&8; exec 8>&-; wait");
      uart.connect(new LoopbackPlug());
    });

    test(`4 MiB go out through ${tty} alone, 4 MiB come in alone, 512 KiB go round, all intact`, async () => {
      const uart = uartOf(tty);
      await guest.run("[ -e /tmp/data ] || dd if=/dev/urandom of=/tmp/data bs=64k count=64 2> /dev/null");
      await guest.run(`exec 7<>/dev/${tty}; stty raw -echo -crtscts 3000000 < /dev/${tty}`);
      const farEnd = new MeasuredFarEnd(rig.rig.scheduler);
      uart.connect(farEnd);
      const [sent] = (await guest.run("sha256sum < /tmp/data")).split(" ");
      await guest.run(`cat /tmp/data > /dev/${tty}`, longMs);
      await until("the far end has it all", () => farEnd.heardBytes >= total, longMs);
      assert.deepEqual([farEnd.heardBytes, farEnd.heardHash()], [total, sent]);

      const said = farEnd.say(total, 7);
      const [heard] = (await guest.run(`head -c ${total} /dev/${tty} | sha256sum`, longMs)).split(" ");
      assert.equal(heard, said);

      uart.connect(new LoopbackPlug());
      const [eighth] = (await guest.run(`head -c ${total / 8} /tmp/data | sha256sum`)).split(" ");
      await guest.run(`head -c ${total / 8} /tmp/data > /dev/${tty} &`);
      const [back] = (await guest.run(`head -c ${total / 8} /dev/${tty} | sha256sum`, longMs)).split(" ");
      await guest.run("exec 7>&-");
      assert.equal(back, eighth);
      assert.equal(uart.overruns, 0);
    });
  }

  test("lives through detach, a cable pulled in mid-transfer and a server that restarts", async () => {
    await guest.detach(ftdiAt);
    await guest.waitFor("ls /dev", /^(?![\s\S]*ttyUSB0)/);
    await guest.waitFor(`usbip --tcp-port ${port} list -r 10.0.2.2`, /1-1:/);
    ftdiAt = await guest.attach(port, "1-1");
    await guest.waitFor("ls /dev", /ttyUSB0/);

    await guest.run("exec 7<>/dev/ttyACM0; stty raw -echo < /dev/ttyACM0");
    await guest.run("(while cat /tmp/data; do :; done > /dev/ttyACM0) 2> /dev/null &");
    const moved = rig.acm.uart.transmittedBytes;
    await guest.waitFor("sleep 0.1; echo on", /on/);
    assert.ok(rig.acm.uart.transmittedBytes > moved, "data was under way");
    rig.rig.usb.bus.unplug(2);
    await guest.waitFor("ls /dev", /^(?![\s\S]*ttyACM0)/);
    await guest.run("exec 7>&-");
    rig.plugIn(rig.acm, 2);
    await guest.waitFor(`usbip --tcp-port ${port} list -r 10.0.2.2`, /1-2:/);
    acmAt = await guest.attach(port, "1-2");
    await guest.waitFor("ls /dev", /ttyACM0/);

    await rig.stopListening();
    await guest.waitFor("ls /dev", /^(?![\s\S]*tty(ACM|USB)0)/);
    assert.equal(await rig.listen(port), port);
    await guest.waitFor(`usbip --tcp-port ${port} list -r 10.0.2.2`, /^(?=[\s\S]*1-1:)(?=[\s\S]*1-2:)/);
    await attach();
    const echo =
      "exec 7<>/dev/ttyACM0; stty raw -echo < /dev/ttyACM0; echo alive >&7; head -n 1 <&7; exec 7>&-";
    assert.equal(await guest.run(echo), "alive");
    // Where the cable was pulled, vhci_hcd may have had something to send after it had heard the connection's end.
    const overtaken = /^vhci_hcd: sendmsg failed!, ret=-32 for \d+$/;
    const others = (await complaints(guest)).filter((line) => !overtaken.test(line));
    assert.deepEqual(others, []);
    await guest.detach(ftdiAt);
    await guest.detach(acmAt);
  });
});
