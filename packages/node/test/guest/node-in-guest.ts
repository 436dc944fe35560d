// Node and this project inside the Linux guest: the machine's files, shared read-only, and a chroot into them.

import { join } from "node:path";
import type { GuestOptions, LinuxGuest } from "./linux-guest.ts";

const share = "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap";

/** For `LinuxGuest.boot`: 9p over virtio, and memory and instructions enough for Node. */
export const nodeGuestOptions = {
  memoryMiB: 1024,
  modules: ["9pnet_virtio", "9p"],
  qemu: ["-cpu", "max", "-virtfs", share],
} as const satisfies GuestOptions;

/** Once per boot, before `startNode`. The guest's own /dev, /sys and /proc lie over the shared ones; /tmp is read-only. */
export async function prepareNode(guest: LinuxGuest): Promise<void> {
  await guest.run(
    `modprobe -a 9pnet_virtio 9p && mkdir /h
     mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose host /h || exit 1
     for place in dev sys proc; do mount -o bind /$place /h/$place; done`,
  );
}

/** A program beside this file, in the background. What it says goes to `output`, with its exit code as last line. */
export async function startNode(
  guest: LinuxGuest,
  output: string,
  program: string,
  ...args: string[]
): Promise<void> {
  const command = [process.execPath, join(import.meta.dirname, program), ...args].join(" ");
  await guest.run(`(chroot /h ${command} > ${output} 2>&1; echo "exit $?" >> ${output}) &`);
}
