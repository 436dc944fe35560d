// The initramfs of the test guest: busybox, the kernel's USB modules, the usbip tools, one init script.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const folder = join(import.meta.dirname, "../../../../build/guest");

/** Loaded by tests when they need them; the first ones by init. */
const modules = [
  "virtio_pci",
  "virtio_net",
  "usbcore",
  "usbip-core",
  "vhci-hcd",
  "usbip-host",
  "xhci-pci",
  "ehci-pci",
  "usbserial",
  "ftdi_sio",
  "cdc-acm",
  "usb-storage",
  "uas",
  "sd_mod",
  "sg",
  "usbhid",
  "hid-generic",
  "evdev",
  "joydev",
  "dummy_hcd",
  "libcomposite",
  "u_serial",
  "usb_f_acm",
  "usb_f_hid",
];

const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /run /var/run /mnt
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /tmp
ln -sf /bin/busybox /sbin/modprobe
export PATH=/bin:/sbin:/usr/sbin:/usr/bin
modprobe -a virtio_pci virtio_net
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
port=$(sed -n 's/.*ctl=\\([0-9]*\\).*/\\1/p' /proc/cmdline)
exec nc 10.0.2.2 $port -e /bin/sh
`;

/** What is missing, by Debian package; null when the guest can be built. */
export function missingForGuest(): string | null {
  const tools: [string, string][] = [
    ["qemu-system-x86_64", "qemu-system-x86"],
    ["cpio", "cpio"],
    ["/usr/sbin/modprobe", "kmod"],
    ["/usr/sbin/usbip", "usbip"],
  ];
  for (const [tool, debianPackage] of tools) {
    if (spawnSync(tool, ["--version"]).error !== undefined) return `Debian package ${debianPackage}`;
  }
  if (!existsSync("/bin/busybox")) return "Debian package busybox-static";
  if (!existsSync(join(folder, "vmlinux"))) return "the guest's kernel (run house/guest-kernel.sh)";
  return null;
}

export interface GuestImage {
  readonly kernel: string;
  readonly initramfs: string;
  readonly version: string;
}

/** Builds the image once per kernel and per version of this file. */
export function buildGuestImage(): GuestImage {
  const version = readFileSync(join(folder, "version"), "utf8").trim();
  const key = createHash("sha256")
    .update(readFileSync(import.meta.filename))
    .update(version)
    .digest("hex");
  const initramfs = join(folder, `initramfs-${key.slice(0, 16)}.cpio`);
  const image = { kernel: join(folder, "vmlinux"), initramfs, version };
  if (existsSync(initramfs)) return image;
  const tree = mkdtempSync(join(tmpdir(), "drydock-guest-"));
  try {
    for (const name of ["bin", "sbin", "lib64", "usr/sbin", "etc"])
      mkdirSync(join(tree, name), { recursive: true });
    copyFileSync("/bin/busybox", join(tree, "bin/busybox"));
    const source = join(folder, "root");
    const wanted = new Set<string>();
    for (const name of modules) {
      const lines = execFileSync(
        "/usr/sbin/modprobe",
        ["-d", source, "-S", version, "--show-depends", name],
        {
          encoding: "utf8",
        },
      );
      for (const line of lines.split("\n")) {
        const match = /^insmod (\S+)/.exec(line);
        if (match !== null) wanted.add(match[1]);
      }
    }
    for (const path of wanted) copyInto(tree, path, path.slice(source.length + 1));
    for (const name of ["modules.order", "modules.builtin", "modules.builtin.modinfo"]) {
      const path = `lib/modules/${version}/${name}`;
      copyInto(tree, join(source, path), path);
    }
    execFileSync("/usr/sbin/depmod", ["-b", tree, version]);
    for (const tool of ["/usr/sbin/usbip", "/usr/sbin/usbipd"]) copyWithLibraries(tree, tool);
    writeFileSync(join(tree, "init"), init, { mode: 0o755 });
    const archive = execFileSync(
      "sh",
      [
        "-c",
        "find . -exec touch -h -d @0 {} + && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible",
      ],
      { cwd: tree, maxBuffer: 256 << 20 },
    );
    writeFileSync(`${initramfs}.part`, archive);
    renameSync(`${initramfs}.part`, initramfs);
  } finally {
    rmSync(tree, { recursive: true });
  }
  return image;
}

function copyInto(tree: string, from: string, to: string): void {
  mkdirSync(join(tree, dirname(to)), { recursive: true });
  copyFileSync(from, join(tree, to));
}

/** A dynamically linked program and what it is linked with. */
function copyWithLibraries(tree: string, program: string): void {
  copyInto(tree, program, program.slice(1));
  const linked = execFileSync("ldd", [program], { encoding: "utf8" });
  for (const match of linked.matchAll(/(\/\S+\.so[.\d]*) /g)) {
    const path = match[1];
    if (!existsSync(join(tree, path))) copyInto(tree, path, path.slice(1));
  }
}
