// iperf3 in a Linux guest over usb-net and over our models by usbredir. Prints one JSON line.

import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { Ax88772Device } from "@drydock/core/devices/ax88772/ax88772-device";
import { CdcEcmDevice } from "@drydock/core/devices/cdc-ecm/cdc-ecm-device";
import { CdcNcmDevice } from "@drydock/core/devices/cdc-ncm/cdc-ncm-device";
import { EthernetSwitch } from "@drydock/core/outlets/ethernet/ethernet-switch";
import { StreamNetdev } from "@drydock/core/outlets/ethernet/stream-netdev";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listen } from "@drydock/node/socket-stream";
import { listenUsbredir } from "@drydock/node/usbredir-sockets";
import { guestSkip, LinuxGuest } from "./linux-guest.ts";

const seconds = Number(process.argv[2] ?? 4);
const programs = ["iperf3"];
const modules = ["asix", "ax88796b", "cdc_ncm", "cdc_ether"];

const missing = guestSkip({ programs, modules });
if (missing !== false) {
  console.log(JSON.stringify({ missing }));
  process.exit(77);
}

const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
const clock = rig.scheduler;
const runner = new LiveRunner(clock);
void runner.start();
const segment = new EthernetSwitch();
const macOf = (number: number) => Uint8Array.of(0x02, 0xdd, 0, 0, 0, number);

/** A socket for a network card of QEMU's, on the segment. */
async function socketPort(): Promise<number> {
  const netdev: StreamNetdev = new StreamNetdev({
    clock,
    to: { frame: (bytes, offset, length) => port.frame(bytes, offset, length) },
  });
  const port = segment.join(netdev);
  return (await listen({ port: 0, steps: clock }, (stream) => netdev.accept(stream))).port;
}

const ours = {
  "our ECM model, full speed": new CdcEcmDevice({ macAddress: macOf(1), speed: UsbSpeed.full }),
  "our ECM model": new CdcEcmDevice({ macAddress: macOf(2) }),
  "our NCM model": new CdcNcmDevice({ macAddress: macOf(3) }),
  "our AX88772C model": new Ax88772Device({ clock, macAddress: macOf(4) }),
};
const redirects: string[] = [];
for (const [index, device] of Object.values(ours).entries()) {
  device.jack.plugIn(segment.join(device.jack));
  const outlet = rig.addUsbredir(index + 1);
  rig.usb.bus.plugIn(device, index + 1);
  const { port } = await listenUsbredir(outlet, { port: 0, steps: clock });
  redirects.push("-chardev", `socket,id=r${index},host=127.0.0.1,port=${port}`);
  redirects.push("-device", `usb-redir,chardev=r${index},bus=x.0`);
}
const netdev = async (id: string) => [
  "-netdev",
  `stream,id=${id},server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=${await socketPort()}`,
];
const guest = await LinuxGuest.boot({
  programs,
  modules,
  qemu: [
    ...(await netdev("w")),
    ...["-device", "virtio-net-pci,netdev=w,romfile=", "-device", "qemu-xhci,id=x,p2=8,p3=8"],
    ...(await netdev("u")),
    ...["-device", "usb-net,netdev=u,bus=x.0,mac=02:dd:00:00:00:09"],
    ...redirects,
  ],
});
try {
  await guest.run(
    `modprobe -a asix ax88796b cdc_ncm cdc_ether xhci-pci
     (unshare -n sleep 100000 & echo $! > /tmp/pid); sleep 0.2; ip link set eth1 netns $(cat /tmp/pid)
     nsenter -t $(cat /tmp/pid) -n sh -c 'ip link set eth1 up; ip link set lo up; iperf3 -s -D'`,
  );
  const figures: Record<string, { out: number; in: number }> = {};
  for (const [name, number] of [
    ["QEMU's usb-net, full speed", 9],
    ...Object.keys(ours).map((name, index) => [name, index + 1]),
  ] as [string, number][]) {
    const mac = `02:dd:00:00:00:0${number}`;
    const found = await guest.waitFor(`grep -l ${mac} /sys/class/net/*/address`, /net\/\w+\//);
    const device = /net\/(\w+)\//.exec(found)?.[1] ?? "";
    await guest.run(`ip addr add 10.9.${number}.2/24 dev ${device}; ip link set ${device} up`);
    await guest.run(`nsenter -t $(cat /tmp/pid) -n ip addr add 10.9.${number}.1/24 dev eth1`);
    await guest.waitFor(`ping -c 1 -W 1 10.9.${number}.1`, / 0% packet loss/);
    const rate = async (way: string): Promise<number> => {
      for (let tries = 0; ; tries++) {
        const said = await guest.run(`iperf3 -J -c 10.9.${number}.1 -t ${seconds} ${way}; sleep 1`, 120_000);
        const { end, error } = JSON.parse(said) as {
          end?: { sum_received?: { bits_per_second: number } };
          error?: string;
        };
        if (end?.sum_received !== undefined) return end.sum_received.bits_per_second / 1e6;
        // The server has one client at a time, and may not be done with the last one.
        if (tries === 3) throw new Error(`iperf3 over ${name}: ${error ?? said}`);
      }
    };
    figures[name] = { out: await rate(""), in: await rate("-R") };
    await guest.run(`ip link set ${device} down`);
  }
  console.log(JSON.stringify({ figures }));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await guest.stop();
  process.exit();
}
