// Our network drivers on QEMU's usb-net and the gadgets f_ncm and f_ecm, over USB/IP.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { usbipPort } from "@drydock/core/codec/usbip/usbip";
import { StreamNetdev } from "@drydock/core/outlets/ethernet/stream-netdev";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { NetworkRig } from "@drydock/core/rigs/network-rig";
import { FrameExchange } from "@drydock/core/trials/frame-exchange";
import { hostTurn } from "@drydock/node/host-turn";
import { connectSocket } from "@drydock/node/socket-stream";
import { withImportedDevice } from "../guest/imported-device.ts";
import { freePort, guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const modules = ["usb_f_ncm", "usb_f_ecm", "bridge"];
/** Frames each way; the endurance run sets a million. */
const frames = Number(process.env.DRYDOCK_FOREIGN_FRAMES ?? 400);
/** Frames under way each way. */
const window = 32;
/**
 * Into a gadget fewer: of 32 that come to the guest's bridge at once Linux 6.1 sends two less out of f_ecm than came in at
 * the other side, and counts no drop; all that it sends arrives.
 */
const gadgetWindow = 4;
const patienceMs = 30_000 + frames * 10;
/** QEMU's socket is read in the time of an emulated machine. */
const quietNs = 20e9;

describe("our network drivers on devices that nobody here wrote", { skip: guestSkip({ modules }) }, () => {
  let guest: LinuxGuest;
  let wirePort = 0;
  let netPort = 0;

  /** Random frames both ways between an interface on the guest's device and QEMU's netdev at `port`. */
  const drive = async (product: string, port: number, bridged?: string): Promise<void> => {
    const rig = new NetworkRig({
      ...{ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), timing: "none", trace: false },
      devices: [],
    });
    const clock = rig.machine.scheduler;
    const exchange: FrameExchange = new FrameExchange({
      ...{ clock, seed: 19, frames, outWindow: window, patienceNs: quietNs },
      window: bridged === undefined ? window : gadgetWindow,
      intoCable: { frame: (bytes, offset, length) => wire.frame(bytes, offset, length) },
    });
    const wire = new StreamNetdev({ clock, to: exchange.station });
    wire.accept(connectSocket("127.0.0.1", port, clock));
    await withImportedDevice(guest, product, rig, async (giveBack) => {
      const up = () => rig.interfaces.length > 0 && rig.interfaces[0].link.isUp;
      await until(`an interface of ${product} comes up`, up);
      // Until the guest has taken note of the link, its bridge forwards nothing and its interface drops.
      if (bridged !== undefined)
        await guest.waitFor(
          `cat /sys/class/net/${bridged}/operstate /sys/class/net/br0/brif/${bridged}/state`,
          /^(?:up|unknown)\s+3$/,
        );
      exchange.start(rig.interfaces[0]);
      await until("the exchange is over", () => exchange.isDone, patienceMs);
      const result = exchange.result();
      assert.equal(result.isWhole, true, JSON.stringify(result));
      const { droppedFrames, lostFrames } = rig.interfaces[0].counts;
      assert.deepEqual([droppedFrames, lostFrames, wire.lostFrames, wire.badFrames], [0, 0, 0, 0]);
      giveBack();
      await until("the program is told that the interface has gone", () => exchange.hungUps === 1);
    });
    wire.close();
  };

  /** A gadget whose interface in the guest is bridged to the guest's second network card. */
  const gadget = (kind: "ncm" | "ecm"): Promise<string> =>
    guest.run(
      `g=/sys/kernel/config/usb_gadget/${kind}; mkdir $g; echo 0x1d6b > $g/idVendor; echo 0x0104 > $g/idProduct
       mkdir $g/strings/0x409; echo 'Linux ${kind} gadget' > $g/strings/0x409/product; mkdir $g/configs/c.1
       mkdir $g/functions/${kind}.0; ln -s $g/functions/${kind}.0 $g/configs/c.1/; ls /sys/class/udc | head -1 > $g/UDC
       if=$(cat $g/functions/${kind}.0/ifname); ip link set $if up; brctl addif br0 $if; echo $if`,
    );

  before(async () => {
    wirePort = await freePort();
    netPort = await freePort();
    const netdev = (id: string, port: number) => [
      "-netdev",
      `stream,id=${id},server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=${port}`,
    ];
    guest = await LinuxGuest.boot({
      modules,
      forward: [usbipPort],
      qemu: [
        ...netdev("w", wirePort),
        ...["-device", "virtio-net-pci,netdev=w,romfile="],
        ...netdev("u", netPort),
        ...["-device", "qemu-xhci,id=x", "-device", "usb-net,netdev=u,bus=x.0"],
      ],
    });
    await guest.run(
      `modprobe -a xhci-pci bridge dummy_hcd libcomposite && mount -t configfs c /sys/kernel/config
       brctl addbr br0; brctl addif br0 eth1; ip link set eth1 up; ip link set br0 up`,
    );
  });
  after(async () => {
    await guest?.stop();
  });

  test(`QEMU's usb-net under our ECM driver: ${frames} random frames each way, equal`, async () => {
    await drive("RNDIS/QEMU USB Network Device", netPort);
  });

  for (const kind of ["ncm", "ecm"] as const)
    test(`Linux's f_${kind} under our ${kind.toUpperCase()} driver: ${frames} random frames each way, equal`, async () => {
      const bridged = (await gadget(kind)).trim();
      await drive(`Linux ${kind} gadget`, wirePort, bridged);
      await guest.run(`echo > /sys/kernel/config/usb_gadget/${kind}/UDC`);
    });
});
