// Installer packages: a xar archive (header, table of contents as XML, heap), and the cpio archives in its payloads.

import { DecodeError } from "@drydock/core/base/errors";
import { decodeUtf8 } from "@drydock/core/base/text";
import { checkedName, inflated } from "./archive.ts";
import type { BinaryReader, FactSink } from "./reader.ts";

const magic = 0x78617221;
const mostContents = 8 << 20;
const mostMembers = 4096;

/** What to do where this reader cannot go on. */
const expand = (name: string) =>
  `pkgutil --expand-full ${name.split("/").pop() || "WIDGET.pkg"} FOLDER, and give me the folder`;

export const packageReader: BinaryReader = {
  kind: "installer package",
  mostBytes: 512 << 20,
  recognise: (head) => head.length >= 28 && new DataView(head.buffer, head.byteOffset).getUint32(0) === magic,
  async read({ name, bytes }, sink) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const header = view.getUint16(4);
    const packed = Number(view.getBigUint64(8));
    if (header < 28 || header + packed > bytes.length)
      throw new DecodeError("installer package", 8, `a table of contents of ${packed} bytes does not fit`);
    const contents = await contentsOf(bytes.subarray(header, header + packed));
    const heap = header + packed;
    let members = 0;
    for (const member of membersOf(contents)) {
      if (++members > mostMembers) break;
      takeMember(member, bytes, heap, name, sink);
    }
    if (members === 0)
      sink.problem(`is an installer package with no file in it; to look yourself: ${expand(name)}`);
  },
};

async function contentsOf(packed: Uint8Array): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of inflated(packed, "deflate")) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > mostContents)
      throw new DecodeError("installer package", 28, "a table of contents above 8 MiB");
  }
  return text;
}

interface Member {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly encoding: string;
}

/** Files of the table of contents with their folders' names. A tag at a time: the text is hostile and may be cut. */
function* membersOf(contents: string): Generator<Member> {
  const path: string[] = [];
  let data: Record<string, string> | null = null;
  let last = "";
  const tag = /<(\/?)(\w[\w-]*)([^<>]{0,400})>([^<]{0,4096})/g;
  for (const [, close, name, attributes, text] of contents.matchAll(tag)) {
    if (name === "file") {
      if (close === "") path.push("");
      else {
        if (data !== null && path.length > 0)
          yield {
            path: path.join("/"),
            offset: Number(data.offset ?? Number.NaN),
            length: Number(data.length ?? Number.NaN),
            encoding: data.encoding ?? "",
          };
        data = null;
        path.pop();
      }
    } else if (name === "data" && close === "" && path.length > 0) data = {};
    else if (name === "name" && close === "" && path.length > 0)
      path[path.length - 1] = text.trim().slice(0, 300);
    else if (data !== null && close === "" && (name === "offset" || name === "length") && last !== "ea")
      data[name] ??= text.trim();
    else if (data !== null && close === "" && name === "encoding")
      data.encoding ??= /style="([^"]{1,60})"/.exec(attributes)?.[1] ?? "";
    if (path.length > 64) return;
    last = name;
  }
}

function takeMember(member: Member, bytes: Uint8Array, heap: number, name: string, sink: FactSink): void {
  const { offset, length, encoding } = member;
  const start = heap + offset;
  if (!Number.isSafeInteger(start) || !(length >= 0) || start + length > bytes.length) {
    sink.problem(`has a member that is not whole (${member.path.slice(0, 100)})`);
    return;
  }
  // The bill of materials lists what the payload holds.
  if (/(?:^|\/)Bom$/.test(member.path)) return;
  const packed = bytes.subarray(start, start + length);
  const path = checkedName(member.path, sink);
  if (/bzip2|lzma|xz/.test(encoding))
    sink.problem(
      `has ${path} compressed with ${encoding.replace(/^application\/x-/, "")}, which is not read; ${expand(name)}`,
    );
  else if (decodeUtf8(packed.subarray(0, 4)) === "pbzx")
    sink.problem(`has its ${path} compressed with pbzx (xz), which is not read; ${expand(name)}`);
  else if (/gzip|zlib/.test(encoding) && packed[0] !== 0x1f)
    sink.nestedFile({ name: path, chunks: () => inflated(packed, "deflate") });
  else sink.nestedFile({ name: path, chunks: () => [packed] });
}

/** cpio: "070707" is the portable form with octal numbers, "070701" the newer one with hex. */
export const cpioReader: BinaryReader = {
  kind: "archive",
  mostBytes: 512 << 20,
  recognise: (head) => /^07070[17]/.test(decodeUtf8(head.subarray(0, 6))),
  read({ bytes }, sink) {
    const word = (at: number, length: number, base: number): number => {
      const value = Number.parseInt(decodeUtf8(bytes.subarray(at, at + length)), base);
      if (!Number.isSafeInteger(value) || value < 0)
        throw new DecodeError("cpio archive", at, "a number is none");
      return value;
    };
    let links = 0;
    for (let at = 0; at + 76 <= bytes.length; ) {
      const form = decodeUtf8(bytes.subarray(at, at + 6));
      const isOld = form === "070707";
      if (!isOld && form !== "070701") {
        sink.problem(`is a cpio archive that is cut or wrong at byte ${at}; what is before was read`);
        break;
      }
      const mode = isOld ? word(at + 18, 6, 8) : word(at + 14, 8, 16);
      const nameSize = isOld ? word(at + 59, 6, 8) : word(at + 94, 8, 16);
      const size = isOld ? word(at + 65, 11, 8) : word(at + 54, 8, 16);
      const head = isOld ? 76 : 110;
      const aligned = (value: number) => (isOld ? value : Math.ceil(value / 4) * 4);
      const start = at + aligned(head + nameSize);
      const path = decodeUtf8(
        bytes.subarray(at + head, at + head + Math.min(Math.max(0, nameSize - 1), 4096)),
      );
      if (path === "TRAILER!!!") break;
      if (start + size > bytes.length) {
        sink.problem(`is a cpio archive that is cut at byte ${at}; what is before was read`);
        break;
      }
      const kind = mode & 0o170000;
      const data = bytes.subarray(start, start + size);
      if (kind === 0o120000) links++;
      else if (kind === 0o100000)
        sink.nestedFile({ name: checkedName(path.replace(/^\.\//, ""), sink), chunks: () => [data] });
      at = start + aligned(size);
    }
    if (links > 0) sink.problem(`has ${links} links among its members, which are not followed`);
  },
};

/** The last 512 bytes of a disk image begin with "koly" (UDIF). */
export function isDiskImage(tail: Uint8Array): boolean {
  return tail.length === 512 && decodeUtf8(tail.subarray(0, 4)) === "koly";
}
