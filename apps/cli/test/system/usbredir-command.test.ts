// `drydock export usbredir` as somebody types it: its QEMU arguments, a guest on each port, wrong input, strangers.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { UsbredirGuest } from "@drydock/core/outlets/usbredir/test/usbredir-guest";
import { connectSocket } from "@drydock/node/socket-stream";
import { missingProgram, until } from "./live-rig.ts";

const launcher = join(import.meta.dirname, "../../bin/drydock.mjs");
const run = (...args: string[]) =>
  spawnSync(process.execPath, [launcher, "export", "usbredir", ...args], { encoding: "utf8" });

interface Exported {
  readonly host: string;
  readonly devices: readonly { readonly device: string; readonly port: number; readonly qemu: string[] }[];
}

/** `drydock export usbredir` on free ports, ended by its own id. */
async function startExport(...args: string[]) {
  const child = spawn(
    process.execPath,
    [launcher, "export", "usbredir", "--port", "0", "--json", "--for", "120", ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let talk = "";
  let output = "";
  child.stderr.on("data", (chunk) => {
    talk += chunk;
  });
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await until(() => output.includes("\n") || child.exitCode !== null, "the export to come up");
  const exported = JSON.parse(output.split("\n")[0]) as Exported;
  return {
    ...exported,
    talk: () => talk,
    stop: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
}

async function meet(port: number): Promise<UsbredirGuest> {
  const guest = new UsbredirGuest(connectSocket("127.0.0.1", port));
  await until(() => guest.isClosed || guest.capabilities !== 0, "the host's hello");
  return guest;
}

test("each device has its port: hello, interfaces, endpoints, device, descriptors", {
  timeout: 60_000,
}, async () => {
  const server = await startExport("desk", "--no-pacing");
  try {
    assert.deepEqual(
      server.devices.map(({ device }) => device),
      ["ftdi", "cdc-acm"],
    );
    assert.doesNotMatch(server.talk(), /warning/);
    const identities = [
      [0x0403, 0x6001],
      [0x1209, 0x0001],
    ];
    for (const [index, { port, qemu }] of server.devices.entries()) {
      assert.deepEqual(qemu.slice(0, 2), [
        "-chardev",
        `socket,id=drydock${index + 1},host=127.0.0.1,port=${port},nodelay=on`,
      ]);
      assert.match(server.talk(), new RegExp(qemu.join(" ").replaceAll(".", "\\.")));
      const guest = await meet(port);
      const kinds: string[] = [];
      let vendor = 0;
      let product = 0;
      let answered = 0;
      guest.onPacket = ({ message }) => {
        kinds.push(message.kind);
        if (message.kind === "controlPacket") answered = message.data.length;
        if (message.kind !== "deviceConnect") return;
        ({ vendor, product } = message);
        guest.control(1, [0x80, 6, 0x0100, 0], 18);
      };
      for (const packet of guest.take()) guest.onPacket(packet);
      await until(() => answered > 0, "the device descriptor");
      const expected = ["hello", "interfaceInfo", "endpointInfo", "deviceConnect", "controlPacket"];
      assert.deepEqual(kinds, expected);
      assert.equal(vendor, identities[index][0]);
      if (index === 0) assert.equal(product, identities[index][1]);
      assert.equal(answered, 18);
      // The device is for one guest at a time.
      const second = await meet(port);
      await until(() => second.isClosed, "the second guest to be turned away");
      guest.close();
    }
  } finally {
    assert.equal(await server.stop(), 130);
  }
});

test("a stranger that talks something else is named and let go, the next guest is served", {
  timeout: 60_000,
}, async () => {
  const server = await startExport("serial");
  try {
    const { port } = server.devices[0];
    const stranger = connect({ host: "127.0.0.1", port });
    stranger.on("error", () => {}).resume();
    stranger.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(stranger, "close");
    await until(() => server.talk().includes("it does not speak usbredir"), "the reason on stderr");
    const guest = await meet(port);
    await until(() => guest.take().some(({ message }) => message.kind === "deviceConnect"), "the device");
    guest.close();
  } finally {
    assert.equal(await server.stop(), 130);
  }
});

test("a taken port, ports that do not exist and a rig that is none: each says what to do", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const taken = run("--port", String(port));
  assert.equal(taken.status, 3);
  assert.match(taken.stderr, new RegExp(`127\\.0\\.0\\.1 port ${port} is taken: .*--port`));
  await new Promise((resolve) => other.close(resolve));
  for (const [args, text] of [
    [["desk", "--port", "65535"], /2 devices take as many ports, the last one is 65535/],
    [["--port", "x"], /--port takes a whole number from 0 to 65535, not "x"/],
    [["submarine"], /rig is one of serial, .*not "submarine"/],
    [["--device", "kettle"], /--device is one of ftdi, .*not "kettle"/],
    [["--fault", "melt"], /unknown fault "melt"/],
    [["--for", "-1"], /--for takes a number of seconds/],
  ] as [string[], RegExp][]) {
    const result = run(...args);
    assert.equal(result.status, 2, `${args.join(" ")}: ${result.stderr}`);
    assert.match(result.stderr, text);
  }
});

test("other addresses than loopback: a warning, and arguments that lead here", {
  timeout: 60_000,
}, async () => {
  const server = await startExport("--host", "0.0.0.0");
  try {
    assert.match(server.talk(), /warning: everybody who reaches 0\.0\.0\.0:\d+ .* no password/);
    assert.doesNotMatch(server.devices[0].qemu[1], /0\.0\.0\.0/);
  } finally {
    assert.equal(await server.stop(), 130);
  }
});

test("QEMU takes the printed arguments, and with them both devices", {
  timeout: 60_000,
  skip: missingProgram("qemu-system-x86_64", "qemu-system-x86"),
}, async () => {
  const server = await startExport("desk", "--no-pacing");
  // SeaBIOS alone, which finds nothing to boot from.
  const arguments_ = ["-M", "q35", "-accel", "tcg", "-m", "64", "-nodefaults", "-display", "none"];
  const devices = server.devices.flatMap(({ qemu }) => qemu);
  const qemu = spawn("qemu-system-x86_64", [...arguments_, "-device", "qemu-xhci", ...devices], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  qemu.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const ended = new Promise((resolve) => qemu.once("exit", resolve));
  try {
    const has = (device: string) => new RegExp(`${device}: 127\\.0\\.0\\.1:\\d+ has the device`);
    await until(
      () => qemu.exitCode !== null || ["ftdi", "cdc-acm"].every((name) => has(name).test(server.talk())),
      "QEMU to have both devices",
    );
    assert.equal(qemu.exitCode, null, errors);
    assert.match(server.talk(), /is "qemu usb-redir guest/);
  } finally {
    qemu.kill();
    await ended;
    assert.equal(await server.stop(), 130);
  }
});

test("help shows what to type into QEMU, and shells complete the command", () => {
  const drydock = (...args: string[]) =>
    spawnSync(process.execPath, [launcher, ...args], { encoding: "utf8" }).stdout;
  assert.match(drydock("export", "usbredir", "--help"), /-device usb-redir,chardev=d/);
  assert.match(drydock("--help"), /drydock export usbredir desk/);
  assert.match(drydock("completion", "bash"), /export\) words="usbip usbredir /);
  assert.match(drydock("completion", "fish"), /__fish_seen_subcommand_from export; and not .*' -a usbredir/);
});
