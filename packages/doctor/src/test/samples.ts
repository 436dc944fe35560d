// Small evidence for tests, written by us in the shape of the real files.

import { PcapngWriter } from "@drydock/core/codec/pcapng/pcapng";
import { encodeUsbLinux } from "@drydock/core/codec/pcapng/usb-linux";

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

function xml(value: Value): string {
  if (typeof value === "string")
    return `<string>${value.replace(/&/g, "&amp;").replace(/</g, "&lt;")}</string>\n`;
  if (typeof value === "number") return `<integer>${value}</integer>\n`;
  if (typeof value === "boolean") return `<${value}/>\n`;
  if (Array.isArray(value)) return `<array>\n${value.map(xml).join("")}</array>\n`;
  return `<dict>\n${Object.entries(value)
    .map(([key, item]) => `<key>${key}</key>\n${xml(item)}`)
    .join("")}</dict>\n`;
}

/** An XML property list. */
export function plist(value: Value): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n${xml(value)}</plist>\n`;
}

/** panic-full-....ips with this message. */
export function panicOf(message: string, more: Readonly<Record<string, unknown>> = {}, tail = ""): string {
  const header = {
    bug_type: "210",
    timestamp: "2025-10-01 12:00:00.00 +0000",
    os_version: "macOS 15.6 (24G84)",
  };
  const text = `panic(cpu 0 caller 0xfffffe0012345678): ${message}\nDebugger message: panic\nOS version: 24G84\n${tail}`;
  return `${JSON.stringify(header)}\n${JSON.stringify({ product: "Mac15,14", panicString: text, ...more }, null, 2)}\n`;
}

/** A crash report of a dext: the frames of the crashed thread, innermost first, as "image symbol". */
export function crashOf(options: {
  readonly type: string;
  readonly subtype?: string;
  readonly information?: readonly string[];
  readonly frames: readonly string[];
  readonly path?: string;
  readonly header?: Readonly<Record<string, unknown>>;
}): string {
  const images = [...new Set(options.frames.map((frame) => frame.split(" ")[0]))];
  const header = { app_name: "Sample", bug_type: "309", os_version: "macOS 15.6 (24G84)", ...options.header };
  const body = {
    procName: "org.example.sample",
    procPath: options.path ?? "/Library/SystemExtensions/X/org.example.sample.dext/org.example.sample",
    exception: {
      type: options.type,
      signal: "SIGTRAP",
      codes: "0x1, 0x2",
      ...(options.subtype ? { subtype: options.subtype } : {}),
    },
    ...(options.information ? { asi: { "libdispatch.dylib": options.information } } : {}),
    faultingThread: 0,
    threads: [
      {
        triggered: true,
        id: 1,
        frames: options.frames.map((frame) => {
          const [image, ...symbol] = frame.split(" ");
          return {
            imageOffset: 1,
            symbol: symbol.join(" "),
            symbolLocation: 4,
            imageIndex: images.indexOf(image),
          };
        }),
      },
    ],
    usedImages: images.map((name) => ({ source: "P", base: 1, size: 1, uuid: "x", name })),
  };
  return `${JSON.stringify(header)}\n${JSON.stringify(body, null, 2)}\n`;
}

/** A capture of link type 220. Numbers are bytes; status as Linux has it (-32 STALL). */
export function captureOf(
  transfers: readonly {
    readonly endpoint: number;
    readonly kind: 0 | 1 | 2 | 3;
    readonly setup?: readonly number[];
    readonly data?: readonly number[];
    readonly requested?: number;
    readonly status?: number;
    readonly comment?: string;
  }[],
): Uint8Array {
  const writer = new PcapngWriter("test");
  writer.addInterface(220);
  transfers.forEach((transfer, index) => {
    const data = Uint8Array.from(transfer.data ?? []);
    const isIn = (transfer.endpoint & 0x80) !== 0;
    const common = { id: index + 1, transfer: transfer.kind, endpoint: transfer.endpoint, device: 2, bus: 1 };
    const setup = transfer.setup === undefined ? null : Uint8Array.from(transfer.setup);
    const out = isIn ? new Uint8Array(0) : data;
    const back = isIn ? data : new Uint8Array(0);
    const requested = transfer.requested ?? data.length;
    const status = transfer.status ?? 0;
    writer.addPacket(
      0,
      index * 1e6,
      encodeUsbLinux(
        {
          ...common,
          event: "S",
          timeNs: index * 1e6,
          status: -115,
          urbLength: requested,
          dataLength: out.length,
          setup,
        },
        out,
      ),
      transfer.comment === undefined ? [] : [transfer.comment],
    );
    writer.addPacket(
      0,
      index * 1e6 + 1000,
      encodeUsbLinux(
        {
          ...common,
          event: "C",
          timeNs: index * 1e6 + 1000,
          status,
          urbLength: status === 0 ? data.length : 0,
          dataLength: back.length,
          setup: null,
        },
        back,
      ),
      [],
    );
  });
  return writer.finish();
}
