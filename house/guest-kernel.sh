#!/usr/bin/env bash
# Fetches the Debian kernel that the test guest boots, and unpacks it; it is never installed. Needs apt, dpkg, kmod, xz.
set -euo pipefail
cd "$(dirname "$0")/.."
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p' | head -1)
if [ -z "$kernel" ]; then
  echo "guest-kernel: apt knows no linux-image-amd64; run apt-get update" >&2
  exit 1
fi
version=${kernel#linux-image-}
target=build/guest
if [ -f "$target/version" ] && [ "$(cat "$target/version")" = "$version" ] && [ -f "$target/vmlinux" ]; then
  exit 0
fi
rm -rf "$target"
mkdir -p "$target/root"
(cd "$target" && apt-get download -qq "$kernel")
dpkg-deb --fsys-tarfile "$target"/linux-image-*.deb | tar -x -C "$target/root" ./boot ./lib/modules
rm "$target"/linux-image-*.deb
/sbin/depmod -b "$target/root" "$version"
# Unpacked once here rather than slowly in every emulated boot: the payload's place is in the boot header.
node - "$target/root/boot/vmlinuz-$version" "$target/vmlinux.xz" <<'SCRIPT'
const { readFileSync, writeFileSync } = require("node:fs");
const image = readFileSync(process.argv[2]);
const start = ((image[0x1f1] || 4) + 1) * 512 + image.readUInt32LE(0x248);
writeFileSync(process.argv[3], image.subarray(start, start + image.readUInt32LE(0x24c) - 4));
SCRIPT
xz -dc "$target/vmlinux.xz" > "$target/vmlinux" 2>/dev/null || true
rm "$target/vmlinux.xz"
head -c 4 "$target/vmlinux" | grep -q ELF || { echo "guest-kernel: the kernel image could not be unpacked" >&2; exit 1; }
echo "$version" > "$target/version"
echo "guest-kernel: $version is ready in $target"
