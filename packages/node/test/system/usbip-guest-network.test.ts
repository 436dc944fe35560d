// Linux's asix, cdc_ncm and cdc_ether run our network adapters, over USB/IP and usbredir.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Ax88772Device } from "@drydock/core/devices/ax88772/ax88772-device";
import { CdcEcmDevice } from "@drydock/core/devices/cdc-ecm/cdc-ecm-device";
import { CdcNcmDevice } from "@drydock/core/devices/cdc-ncm/cdc-ncm-device";
import { EthernetSwitch } from "@drydock/core/outlets/ethernet/ethernet-switch";
import { StreamNetdev } from "@drydock/core/outlets/ethernet/stream-netdev";
import type { NetworkAdapter } from "@drydock/core/rigs/network-rig";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { DgramNetdev } from "@drydock/node/dgram-netdev";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { type Listener, listen } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { listenUsbredir } from "@drydock/node/usbredir-sockets";
import { complaints } from "../guest/kernel-complaints.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { Namespace, namespaceSkip } from "../guest/namespace.ts";
import { until } from "../guest/until.ts";

const programs = ["iperf3", "socat", "curl", "avahi-daemon"];
const modules = ["asix", "ax88796b", "cdc_ncm", "cdc_ether", "8021q"];
/** The whole counts of the endurance run, or a slice of them. */
const downloadMiB = Number(process.env.DRYDOCK_NETWORK_MIB ?? 1);
const isWhole = downloadMiB >= 64;
const resets = Number(process.env.DRYDOCK_NETWORK_RESETS ?? 1);
const flaps = Math.ceil(resets / 10);
const longMs = 600_000;
/** Bytes of an ICMP echo whose frames have 60 to 1514 bytes; 466 makes one whose header and frame are a USB packet. */
const echoSizes = [18, 19, 64, 465, 466, 467, 978, 1471, 1472];

const main = join(import.meta.dirname, "../../../../apps/cli/src/main.ts");
const isRoot = namespaceSkip === false;

describe("a Linux guest with our network adapters", { skip: guestSkip({ programs, modules }) }, () => {
  let guest: LinuxGuest;
  let rig: UsbExportRig;
  let runner: LiveRunner;
  const listeners: Listener[] = [];
  const segment = new EthernetSwitch();
  const macOf = (number: number) => Uint8Array.of(0x02, 0xdd, 0, 0, 0, number);
  let usbipPort = 0;
  let datagrams: DgramNetdev;

  /** Puts an adapter into a connector, with its cable in the switch. */
  const plugIn = <T extends NetworkAdapter>(adapter: T, connector: number): T => {
    adapter.jack.plugIn(segment.join(adapter.jack));
    rig.usb.bus.plugIn(adapter, connector);
    return adapter;
  };
  /** The guest's name for the interface with an address that ends so. */
  const nameOf = async (number: number | string): Promise<string> => {
    const mac = `02:dd:00:00:00:${String(number).padStart(2, "0")}`;
    const found = await guest.waitFor(`grep -l ${mac} /sys/class/net/*/address`, /net\/\w+\//);
    return /net\/(\w+)\//.exec(found)?.[1] ?? "";
  };
  /** Up with an address, and a carrier. */
  const bringUp = async (name: string, number: number): Promise<void> => {
    await guest.run(`ip addr add 10.9.${number}.2/24 dev ${name}; ip link set ${name} up`);
    await guest.run(`nsenter -t $(cat /tmp/pid) -n ip addr add 10.9.${number}.1/24 dev eth1`);
    await guest.waitFor(`cat /sys/class/net/${name}/carrier`, /^1/);
  };
  const pingAll = async (number: number, sizes: readonly number[] = echoSizes): Promise<void> => {
    await guest.waitFor(`ping -c 1 -W 1 10.9.${number}.1`, / 0% packet loss/);
    for (const size of sizes) {
      const said = await guest.run(`ping -c 1 -W 5 -s ${size} 10.9.${number}.1`);
      assert.match(said, /1 packets received, 0% packet loss/, `${size} bytes`);
    }
  };
  const download = async (number: number, sum: string): Promise<void> => {
    const [heard] = (
      await guest.run(`curl -sS --fail http://10.9.${number}.1/data | sha256sum`, longMs)
    ).split(" ");
    assert.equal(heard, sum);
  };
  const iperf = async (number: number): Promise<void> => {
    for (const way of ["", "-R"])
      await guest.run(`iperf3 -c 10.9.${number}.1 -t 1 ${way} > /dev/null`, longMs);
  };
  let sum = "";
  const folder = mkdtempSync(join(tmpdir(), "drydock-net-"));
  let space: Namespace | null = null;

  before(async () => {
    const socket = join(folder, "cable");
    if (isRoot) {
      space = new Namespace(
        '"$0" "$1" net up --stack tap --tap dry0 --cable qemu --cable-socket "$2" & echo pid $!; wait $!; echo ended $?; ip link show dry0',
        [process.execPath, main, socket],
      );
      await until("net up is up", () => space?.said.includes("is up") === true);
    }
    rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
    const clock = rig.scheduler;
    runner = new LiveRunner(clock);
    void runner.start();
    const wire: StreamNetdev = new StreamNetdev({
      clock,
      to: { frame: (bytes, offset, length) => wirePort.frame(bytes, offset, length) },
    });
    const wirePort = segment.join(wire);
    const netdev = await listen({ port: 0, steps: clock }, (stream) => wire.accept(stream));
    datagrams = await DgramNetdev.open({
      to: { frame: (bytes, offset, length) => datagramPort.frame(bytes, offset, length) },
      steps: clock,
    });
    const datagramPort = segment.join(datagrams);
    const redirect = rig.addUsbredir(4);
    plugIn(new Ax88772Device({ clock, chip: "ax88772b", macAddress: macOf(4) }), 4);
    const redir = await listenUsbredir(redirect, { port: 0, steps: clock });
    const usbip = await listenUsbip(rig.server, { port: 0, steps: clock });
    usbipPort = usbip.port;
    listeners.push(netdev, redir, usbip);
    guest = await LinuxGuest.boot({
      programs,
      modules,
      qemu: [
        "-netdev",
        `dgram,id=d,remote.type=inet,remote.host=127.0.0.1,remote.port=${datagrams.port},local.type=inet,local.host=127.0.0.1,local.port=${datagrams.peerPort}`,
        "-netdev",
        `stream,id=w,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=${netdev.port}`,
        ...["-device", "virtio-net-pci,netdev=w,romfile=", "-device", "qemu-xhci,id=x"],
        ...["-chardev", `socket,id=r,host=127.0.0.1,port=${redir.port}`],
        ...["-device", "usb-redir,chardev=r,bus=x.0"],
        ...(isRoot
          ? ["-netdev", `stream,id=t,server=off,addr.type=unix,addr.path=${socket}`]
          : ["-netdev", "user,id=t,restrict=on"]),
        ...["-device", "virtio-net-pci,netdev=t,romfile=,mac=02:dd:00:00:00:77"],
        ...["-device", "virtio-net-pci,netdev=d,romfile=,mac=02:dd:00:00:00:78"],
      ],
    });
    await guest.run(
      `modprobe -a asix ax88796b cdc_ncm cdc_ether xhci-pci 8021q
       (unshare -n sleep 100000 & echo $! > /tmp/pid); sleep 0.2; ip link set eth1 netns $(cat /tmp/pid)
       dd if=/dev/urandom of=/tmp/data bs=1M count=${downloadMiB} 2> /dev/null
       nsenter -t $(cat /tmp/pid) -n sh -c 'ip link set eth1 up; ip link set lo up; httpd -h /tmp; iperf3 -s -D'`,
    );
    [sum] = (await guest.run("sha256sum < /tmp/data")).split(" ");
  });
  after(async () => {
    await guest?.stop();
    rig?.server.close();
    for (const listener of listeners) await listener.close();
    await datagrams?.close();
    await runner?.stop();
    await space?.end();
    rmSync(folder, { recursive: true });
  });

  test("drydock net up: a program here reaches a server in the guest, and back, through TAP, driver and model", {
    skip: namespaceSkip,
  }, async () => {
    const name = await nameOf("77");
    await guest.run(`ip addr add 10.90.0.1/24 dev ${name}; ip link set ${name} up; httpd -p 8081 -h /tmp`);
    const here = space as Namespace;
    await here.run("sh", "-c", "ip addr add 10.90.0.2/24 dev dry0; ip link set dry0 up");
    const fetchIt =
      'fetch("http://10.90.0.1:8081/data").then((r)=>r.bytes()).then((b)=>console.log(require("crypto").createHash("sha256").update(b).digest("hex")))';
    assert.equal((await here.run(process.execPath, "-e", fetchIt)).trim(), sum);
    const serveIt =
      'const s=require("http").createServer((q,r)=>{r.end("asked for "+q.url);s.close();setTimeout(()=>process.exit(),100)}).listen(8082,"10.90.0.2");setTimeout(()=>process.exit(),30000)';
    const served = here.run(process.execPath, "-e", serveIt);
    const asked = await guest.waitFor("wget -q -O - http://10.90.0.2:8082/back", /asked/);
    assert.equal(asked, "asked for /back");
    await served;
    await here.end();
    // Interrupted, and nothing of it is left.
    assert.match(here.said, /ended 130\n/);
    assert.match(here.said, /"dry0" does not exist/);
    space = null;
  });

  for (const [index, chip] of (["ax88772", "ax88772a", "ax88772b", "ax88772c"] as const).entries())
    test(`asix drives an ${chip} over USB/IP without a complaint`, async () => {
      // Every place in which a transfer can end: the C has its natural bursts.
      const cutBytes = [66, 514, 1030, 0][index];
      const device = plugIn(
        new Ax88772Device({ clock: rig.scheduler, chip, macAddress: macOf(1), cutBytes }),
        1,
      );
      await guest.clearDmesg();
      const at = await guest.attach(usbipPort, "1-1");
      const name = await nameOf(1);
      await bringUp(name, 1);
      assert.match(await guest.dmesg(), /ASIX AX88772B? USB 2.0 Ethernet/);
      await pingAll(1, chip === "ax88772c" ? echoSizes : [18, 466, 1472]);
      if (chip === "ax88772c") {
        await allOfAsix(device, name);
        await download(1, sum);
        await iperf(1);
      }
      const { badTransmitHeaders, miiWithoutOwnership, refusedRequests } = device.observe();
      assert.deepEqual([badTransmitHeaders, miiWithoutOwnership, refusedRequests], [0, 0, 0]);
      assert.deepEqual(await complaints(guest), []);
      await guest.detach(at);
      rig.usb.bus.unplug(1);
      await guest.run("nsenter -t $(cat /tmp/pid) -n ip addr flush dev eth1");
    });

  /** Tagged frames of 1518 bytes, groups, link changes, resets. */
  async function allOfAsix(device: Ax88772Device, name: string): Promise<void> {
    const vlan = (name: string, host: number) =>
      `vconfig add ${name} 5; ip addr add 10.9.9.${host}/24 dev ${name}.5; ip link set ${name}.5 up`;
    await guest.run(vlan(name, 2));
    await guest.run(`nsenter -t $(cat /tmp/pid) -n sh -c '${vlan("eth1", 1)}'`);
    await pingAll(9, [1472]);

    // mDNS by avahi at both ends: its group is let in by the hash, another is not.
    const before = device.observe();
    await guest.run(
      `echo avahi:x:99:99::/:/bin/sh > /etc/passwd; echo avahi:x:99: > /etc/group
       conf() { printf '[server]\\nhost-name=%s\\nallow-interfaces=%s\\nuse-ipv6=no\\nenable-dbus=no\\n' $1 $2 > /tmp/$1; }
       conf near ${name}; conf far eth1
       run='avahi-daemon -D --no-drop-root --no-chroot --no-rlimits -f'
       nsenter -t $(cat /tmp/pid) -n unshare -m sh -c "mount -t tmpfs r /run; $run /tmp/far"; $run /tmp/near`,
    );
    const asked = "echo RESOLVE-HOSTNAME-IPV4 far.local | socat -T 5 - UNIX:/run/avahi-daemon/socket";
    await guest.waitFor(asked, /\+ \d+ 0 far\.local 10\.9\.1\.1/);
    assert.equal(device.observe().rxControl & 0x10, 0x10, "multicast by hash");
    await guest.run(
      `nsenter -t $(cat /tmp/pid) -n sh -c 'ip route add 224.0.0.0/4 dev eth1; echo other | socat -u - UDP4-DATAGRAM:239.1.2.3:5353'`,
    );
    assert.ok(device.observe().filteredFrames > before.filteredFrames, "the other group stayed outside");
    await guest.run("for pid in $(pidof avahi-daemon); do kill $pid; done");

    for (let flap = 0; flap < flaps; flap++) {
      device.jack.pullOut();
      await guest.waitFor(`cat /sys/class/net/${name}/carrier`, /^0/);
      device.jack.plugIn(segment.join(device.jack));
      await guest.waitFor(`cat /sys/class/net/${name}/carrier`, /^1/);
    }
    const { phyResets } = device.observe();
    // Each time the driver takes the chip, it resets it by its whole sequence.
    const driver = "/sys/bus/usb/drivers/asix";
    for (let count = 0; count < resets; count++) {
      await guest.run(
        `i=$(basename $(readlink /sys/class/net/${name}/device)); echo $i > ${driver}/unbind; echo $i > ${driver}/bind`,
      );
      assert.equal(await nameOf(1), name);
    }
    assert.equal(device.observe().phyResets - phyResets, resets);
    await guest.run(`ip addr add 10.9.1.2/24 dev ${name}; ip link set ${name} up`);
    await guest.waitFor(`cat /sys/class/net/${name}/carrier`, /^1/);
    await pingAll(1, [18]);
  }

  /** A third station on our switch, in a namespace of its own: each of its frames is a datagram of QEMU's. */
  async function pingByDatagrams(name: string): Promise<void> {
    const card = await nameOf("78");
    await guest.run(
      `(unshare -n sleep 100000 & echo $! > /tmp/pid2); sleep 0.2; ip link set ${card} netns $(cat /tmp/pid2)
       nsenter -t $(cat /tmp/pid2) -n sh -c 'ip link set ${card} up; ip addr add 10.9.5.1/24 dev ${card}'
       ip addr add 10.9.5.2/24 dev ${name}`,
    );
    await pingAll(5, [18, 978, 1472]);
    assert.deepEqual([datagrams.lostFrames, datagrams.badFrames], [0, 0]);
  }

  for (const kind of ["ncm", "ecm"] as const)
    test(`cdc_${kind === "ncm" ? "ncm" : "ether"} drives our ${kind.toUpperCase()} adapter without a complaint`, async () => {
      const number = kind === "ncm" ? 2 : 3;
      const macAddress = macOf(number);
      const device = plugIn(
        kind === "ncm" ? new CdcNcmDevice({ macAddress }) : new CdcEcmDevice({ macAddress }),
        number,
      );
      await guest.clearDmesg();
      const at = await guest.attach(usbipPort, `1-${number}`);
      const name = await nameOf(number);
      await bringUp(name, number);
      await pingAll(number);
      await download(number, sum);
      if (isWhole) await iperf(number);
      if (kind === "ncm") await pingByDatagrams(name);
      device.jack.pullOut();
      await guest.waitFor(`cat /sys/class/net/${name}/carrier`, /^0/);
      device.jack.plugIn(segment.join(device.jack));
      await guest.waitFor(`cat /sys/class/net/${name}/carrier`, /^1/);
      await pingAll(number, [18]);
      assert.equal(device.counts.badTransfers, 0);
      assert.deepEqual(await complaints(guest), []);
      await guest.detach(at);
    });

  test("asix drives an AX88772B by usbredir, and a cable that is pulled out of the bus is gone", async () => {
    const name = await nameOf(4);
    await bringUp(name, 4);
    await pingAll(4);
    await download(4, sum);
    assert.deepEqual(await complaints(guest), []);
    rig.usb.bus.unplug(4);
    await guest.waitFor("ls /sys/class/net", new RegExp(`^(?![\\s\\S]*${name})`));
  });
});
