// Installer packages written from their formats: xar (header, contents as XML, heap) and cpio in either form.

import { deflateSync, gzipSync } from "node:zlib";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** cpio, the portable form (odc, octal) or the newer one (hex): names and contents of plain files. */
export function cpioOf(files: Readonly<Record<string, string>>, form: "odc" | "newc" = "odc"): Uint8Array {
  const parts: Uint8Array[] = [];
  const put = (name: string, data: Uint8Array, mode: number) => {
    const path = utf8(`${name}\0`);
    if (form === "odc") {
      const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
      parts.push(
        utf8(
          `070707${octal(0, 6)}${octal(0, 6)}${octal(mode, 6)}${octal(0, 6)}${octal(0, 6)}${octal(1, 6)}${octal(0, 6)}${octal(0, 11)}${octal(path.length, 6)}${octal(data.length, 11)}`,
        ),
        path,
        data,
      );
      return;
    }
    const hex = (value: number) => value.toString(16).padStart(8, "0");
    const words = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, path.length, 0];
    const pad = (length: number) => new Uint8Array((4 - (length % 4)) % 4);
    parts.push(
      utf8(`070701${words.map(hex).join("")}`),
      path,
      pad(110 + path.length),
      data,
      pad(data.length),
    );
  };
  for (const [name, text] of Object.entries(files)) put(`./${name}`, utf8(text), 0o100644);
  put("TRAILER!!!", new Uint8Array(0), 0);
  return joined(parts);
}

export interface PackageMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** As the contents name it: "application/x-gzip" means zlib here. */
  readonly encoding: string;
}

export function xarOf(members: readonly PackageMember[]): Uint8Array {
  let offset = 0;
  const files = members.map(({ name, bytes, encoding }, index) => {
    const entry = `<file id="${index + 1}"><name>${name}</name><type>file</type><data><length>${bytes.length}</length><offset>${offset}</offset><size>${bytes.length}</size><encoding style="${encoding}"/></data></file>`;
    offset += bytes.length;
    return entry;
  });
  const contents = utf8(`<?xml version="1.0" encoding="UTF-8"?><xar><toc>${files.join("")}</toc></xar>`);
  const packed = new Uint8Array(deflateSync(contents));
  const header = new Uint8Array(28);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x78617221);
  view.setUint16(4, 28);
  view.setUint16(6, 1);
  view.setBigUint64(8, BigInt(packed.length));
  view.setBigUint64(16, BigInt(contents.length));
  return joined([header, packed, ...members.map(({ bytes }) => bytes)]);
}

/** A package as pkgbuild makes it: its contents as they are, the payload a gzip of cpio. */
export function packageOf(files: Readonly<Record<string, string>>, form: "odc" | "newc" = "odc"): Uint8Array {
  const plain = "application/octet-stream";
  return xarOf([
    { name: "Bom", bytes: utf8("BOMStore"), encoding: plain },
    { name: "PackageInfo", bytes: utf8('<pkg-info identifier="net.sample.lamp.pkg"/>'), encoding: plain },
    { name: "Payload", bytes: new Uint8Array(gzipSync(cpioOf(files, form))), encoding: plain },
  ]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
