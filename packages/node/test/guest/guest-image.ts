// The initramfs of the test guest: busybox, the kernel's USB modules, the usbip tools, one init script.

import { execFileSync } from "node:child_process";
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
import { basename, dirname, join } from "node:path";

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
mkdir -p /proc /sys /dev /tmp /run /var/run /mnt /sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /tmp
ln -sf /bin/busybox /sbin/modprobe
export PATH=/usr/bin:/bin:/sbin
modprobe -a virtio_pci virtio_net
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
port=$(sed -n 's/.*ctl=\\([0-9]*\\).*/\\1/p' /proc/cmdline)
exec nc 10.0.2.2 $port -e /bin/sh
`;

/** Programs that tests ask for, by the Debian package that brings them. */
const packageOf: Readonly<Record<string, string>> = {
  usbip: "usbip",
  usbipd: "usbip",
  sg_inq: "sg3-utils",
  sg_raw: "sg3-utils",
  sg_dd: "sg3-utils",
  sg_readcap: "sg3-utils",
  sg_requests: "sg3-utils",
  sg_luns: "sg3-utils",
  sg_vpd: "sg3-utils",
  smartctl: "smartmontools",
  "mkfs.ext4": "e2fsprogs",
  "fsck.ext4": "e2fsprogs",
  sfdisk: "fdisk",
  fio: "fio",
  picocom: "picocom",
  "dfu-util": "dfu-util",
  evtest: "evtest",
  ftdi_eeprom: "ftdi-eeprom",
  stm32flash: "stm32flash",
  avrdude: "avrdude",
  aplay: "alsa-utils",
  arecord: "alsa-utils",
  amixer: "alsa-utils",
  iperf3: "iperf3",
  socat: "socat",
  curl: "curl",
  "avahi-daemon": "avahi-daemon",
  "/usr/lib/x86_64-linux-gnu/libhidapi-hidraw.so.0": "libhidapi-hidraw0",
};

const always = ["usbip", "usbipd"];

export interface GuestImageOptions {
  /** Kernel modules beside the usual ones, with what they depend on; tests load them with `modprobe`. */
  readonly modules?: readonly string[];
  /** Programs of this machine (names or absolute paths), copied with the libraries they are linked with. */
  readonly programs?: readonly string[];
}

/** What is missing, by Debian package; null when the guest can be built. */
export function missingForGuest(options: GuestImageOptions = {}): string | null {
  const tools: [string, string][] = [
    ["qemu-system-x86_64", "qemu-system-x86"],
    ["cpio", "cpio"],
    ["modprobe", "kmod"],
    ["busybox", "busybox-static"],
  ];
  for (const [tool, debianPackage] of tools) {
    if (findProgram(tool) === null) return `Debian package ${debianPackage}`;
  }
  if (!existsSync(join(folder, "vmlinux"))) return "the guest's kernel (run house/guest-kernel.sh)";
  for (const program of [...always, ...(options.programs ?? [])]) {
    if (findProgram(program) !== null) continue;
    return program in packageOf ? `Debian package ${packageOf[program]}` : `the program ${program}`;
  }
  return null;
}

export interface GuestImage {
  readonly kernel: string;
  readonly initramfs: string;
  readonly version: string;
}

/** Builds the image once per kernel, per version of this file and per wish. */
export function buildGuestImage(options: GuestImageOptions = {}): GuestImage {
  const version = readFileSync(join(folder, "version"), "utf8").trim();
  const programs = [...new Set([...always, ...(options.programs ?? [])])].sort();
  const names = [...new Set([...modules, ...(options.modules ?? [])])].sort();
  const key = createHash("sha256")
    .update(readFileSync(import.meta.filename))
    .update(JSON.stringify([version, programs, names]))
    .digest("hex");
  const initramfs = join(folder, `initramfs-${key.slice(0, 16)}.cpio`);
  const image = { kernel: join(folder, "vmlinux"), initramfs, version };
  if (existsSync(initramfs)) return image;
  const tree = mkdtempSync(join(tmpdir(), "drydock-guest-"));
  try {
    for (const name of ["bin", "sbin", "lib64", "usr/bin", "etc"])
      mkdirSync(join(tree, name), { recursive: true });
    copyFileSync(findProgram("busybox") as string, join(tree, "bin/busybox"));
    copyModules(tree, version, names);
    for (const program of programs) copyWithLibraries(tree, findProgram(program) as string);
    writeFileSync(join(tree, "init"), init, { mode: 0o755 });
    const archive = execFileSync(
      "sh",
      [
        "-c",
        "find . -exec touch -h -d @0 {} + && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible",
      ],
      { cwd: tree, maxBuffer: 256 << 20 },
    );
    const part = `${initramfs}.${process.pid}`;
    writeFileSync(part, archive);
    renameSync(part, initramfs);
  } finally {
    rmSync(tree, { recursive: true });
  }
  return image;
}

function copyModules(tree: string, version: string, names: readonly string[]): void {
  const source = join(folder, "root");
  const wanted = new Set<string>();
  for (const name of names) {
    const lines = execFileSync(
      findProgram("modprobe") as string,
      ["-d", source, "-S", version, "--show-depends", name],
      { encoding: "utf8" },
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
  execFileSync(findProgram("depmod") as string, ["-b", tree, version]);
}

/** Its absolute path; null when this machine has none. */
function findProgram(name: string): string | null {
  if (name.startsWith("/")) return existsSync(name) ? name : null;
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
  for (const place of folders) {
    const path = join(place, name);
    if (place !== "" && existsSync(path)) return path;
  }
  return null;
}

function copyInto(tree: string, from: string, to: string): void {
  mkdirSync(join(tree, dirname(to)), { recursive: true });
  copyFileSync(from, join(tree, to));
}

/** A dynamically linked program and what it is linked with. */
function copyWithLibraries(tree: string, program: string): void {
  copyInto(tree, program, join("usr/bin", basename(program)));
  const linked = execFileSync("ldd", [program], { encoding: "utf8" });
  for (const match of linked.matchAll(/(\/\S+\.so[.\d]*) /g)) {
    const path = match[1];
    if (!existsSync(join(tree, path))) copyInto(tree, path, path.slice(1));
  }
}
