// Our network drivers on QEMU's usb-net and the gadgets f_ncm and f_ecm, over USB/IP.

import { after, before, describe, type TestContext, test } from "node:test";
import { usbipPort } from "@drydock/core/codec/usbip/usbip";
import { driversAlone, exchangeFrames, waitingNetdev } from "../guest/frame-trial.ts";
import { withImportedDevice } from "../guest/imported-device.ts";
import { freePort, guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const modules = ["usb_f_ncm", "usb_f_ecm", "bridge"];
/** Frames each way on usb-net: network-qemu.test.ts sends the many, with no emulated processor between. */
const fewFrames = 400;
/** Frames each way on the gadgets; the endurance run sets a million. */
const frames = Number(process.env.DRYDOCK_FOREIGN_FRAMES ?? 400);
/** Frames of the station under way. */
const window = 32;
/**
 * A gadget's transfers into the host at high speed are twice that. Linux 6.1 loses frames, and counts none of them, when more come
 * to f_ecm at once than it has transfers: with the 10 it has of itself, two of 32; with 40, 17 of 64.
 */
const queueMultiple = 20;
/**
 * The guest's answers to us go out together, not one by one: each interrupt of a network card costs an emulated processor as
 * much as a frame.
 */
const gathered = ["-global", "virtio-net-pci.tx=timer", "-global", "virtio-net-pci.x-txtimer=1000000"];

describe("our network drivers on devices that nobody here wrote", { skip: guestSkip({ modules }) }, () => {
  let guest: LinuxGuest;
  let wirePort = 0;
  let netPort = 0;

  /** Random frames both ways between an interface on the guest's device and QEMU's netdev at `netPort`. */
  const drive = async (
    context: TestContext,
    product: string,
    netPort: number,
    count: number,
    bridged?: string,
  ): Promise<void> => {
    const rig = driversAlone();
    await withImportedDevice(guest, product, rig, async (giveBack) => {
      const exchange = await exchangeFrames({
        ...{ what: product, rig, netPort, steps: rig.machine.scheduler, frames: count, window },
        tell: (text) => context.diagnostic(text),
        // Until the guest has taken note of the link, its bridge forwards nothing and its interface drops.
        isReady: async () =>
          bridged !== undefined &&
          guest.waitFor(
            `cat /sys/class/net/${bridged}/operstate /sys/class/net/br0/brif/${bridged}/state`,
            /^(?:up|unknown)\s+3$/,
          ),
      });
      giveBack();
      await until("the program is told that the interface has gone", () => exchange.hungUps === 1);
    });
  };

  /** A gadget whose interface in the guest is bridged to the guest's second network card. */
  const gadget = (kind: "ncm" | "ecm"): Promise<string> =>
    guest.run(
      `g=/sys/kernel/config/usb_gadget/${kind}; mkdir $g; echo 0x1d6b > $g/idVendor; echo 0x0104 > $g/idProduct
       mkdir $g/strings/0x409; echo 'Linux ${kind} gadget' > $g/strings/0x409/product; mkdir $g/configs/c.1
       mkdir $g/functions/${kind}.0; echo ${queueMultiple} > $g/functions/${kind}.0/qmult
       ln -s $g/functions/${kind}.0 $g/configs/c.1/; ls /sys/class/udc | head -1 > $g/UDC
       if=$(cat $g/functions/${kind}.0/ifname); ip link set $if up; brctl addif br0 $if; echo $if`,
    );

  before(async () => {
    wirePort = await freePort();
    netPort = await freePort();
    guest = await LinuxGuest.boot({
      modules,
      forward: [usbipPort],
      qemu: [
        ...gathered,
        ...waitingNetdev("w", wirePort),
        ...["-device", "virtio-net-pci,netdev=w,romfile="],
        ...waitingNetdev("u", netPort),
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

  test(`QEMU's usb-net under our ECM driver: ${fewFrames} random frames each way, equal`, async (context) => {
    await drive(context, "RNDIS/QEMU USB Network Device", netPort, fewFrames);
  });

  for (const kind of ["ncm", "ecm"] as const)
    test(`Linux's f_${kind} under our ${kind.toUpperCase()} driver: ${frames} random frames each way, equal`, async (context) => {
      const bridged = (await gadget(kind)).trim();
      await drive(context, `Linux ${kind} gadget`, wirePort, frames, bridged);
      await guest.run(`echo > /sys/kernel/config/usb_gadget/${kind}/UDC`);
    });
});
