// Which kind of device works on which of Apple's systems, and through what, as dated data.

/** How an app reaches a device there. */
export type DeviceRoute =
  /** The system's own driver serves it, to every app. */
  | "built in"
  /** A driver extension of the vendor's. */
  | "dext"
  /** A framework for apps, without a driver. */
  | "app"
  /** The system takes it for itself, or shows a part of it. */
  | "limited"
  | "no"
  | "unknown";

export type SupportMark = "established" | "likely" | "unknown";

export interface SupportCell {
  readonly route: DeviceRoute;
  readonly mark: SupportMark;
  /** What it is reached by, or why it is not. */
  readonly through: string;
}

export const supportSystems = ["macos", "ipad-m", "ipad-a", "iphone"] as const;
export type SupportSystem = (typeof supportSystems)[number];
export const supportSystemNames: Readonly<Record<SupportSystem, string>> = {
  macos: "macOS 13 and later",
  "ipad-m": "iPad with an M chip (iPadOS 16 and later)",
  "ipad-a": "iPad with an A chip",
  iphone: "iPhone with USB-C",
};

/** Rows are never edited: what changes gets a later date, and the latest row of a kind counts. */
export interface DeviceSupport {
  readonly kind: string;
  readonly name: string;
  /** What people call it, lower case. */
  readonly words: readonly string[];
  /** The day on which it was looked up. */
  readonly asOf: string;
  readonly source: string;
  readonly on: Readonly<Record<SupportSystem, SupportCell>>;
}

const asOf = "2026-11-28";
const cell = (route: DeviceRoute, mark: SupportMark, through: string): SupportCell => ({
  route,
  mark,
  through,
});
const everywhere = (one: SupportCell): Readonly<Record<SupportSystem, SupportCell>> => ({
  macos: one,
  "ipad-m": one,
  "ipad-a": one,
  iphone: one,
});
const noDriver = cell("no", "established", "no driver extensions there");
const driverKit = "Apple, DriverKit documentation; DTS answer in thread 802640";
const general = "general knowledge of the systems, not checked on a device";

export const deviceSupport: readonly DeviceSupport[] = [
  {
    kind: "usb-vendor",
    name: "USB device of a vendor's own class",
    words: ["vendor-specific usb", "vendor class", "class ff", "own usb device"],
    asOf,
    source: `${driverKit}; thread 814165`,
    on: {
      macos: cell("dext", "established", "USBDriverKit, or an app by IOUSBHost or libusb"),
      "ipad-m": cell("dext", "established", "USBDriverKit and the app's user client"),
      "ipad-a": noDriver,
      iphone: noDriver,
    },
  },
  {
    kind: "pci",
    name: "PCIe and Thunderbolt device",
    words: ["pcie", "thunderbolt", "pci"],
    asOf,
    source: driverKit,
    on: {
      macos: cell("dext", "established", "PCIDriverKit"),
      "ipad-m": cell("dext", "established", "PCIDriverKit"),
      "ipad-a": noDriver,
      iphone: noDriver,
    },
  },
  {
    kind: "audio-driver",
    name: "audio device that needs a driver",
    words: ["audiodriverkit", "audio driver"],
    asOf,
    source: `${driverKit}; thread 851798`,
    on: {
      macos: cell("dext", "established", "AudioDriverKit"),
      "ipad-m": cell(
        "dext",
        "established",
        "AudioDriverKit; one report: with the transport type USB apps do not see it",
      ),
      "ipad-a": noDriver,
      iphone: noDriver,
    },
  },
  {
    kind: "other-families",
    name: "network, SCSI, serial, block-storage or HID device that needs a driver",
    words: [
      "networkdriverkit",
      "scsi driver",
      "serialdriverkit",
      "blockstoragedevicedriverkit",
      "hiddriverkit",
    ],
    asOf,
    source: driverKit,
    on: {
      macos: cell("dext", "established", "the family of that name"),
      "ipad-m": cell("no", "likely", "the documentation lists core, USB, PCI and audio only"),
      "ipad-a": noDriver,
      iphone: noDriver,
    },
  },
  {
    kind: "mfi",
    name: "MFi accessory with protocols of its own (iAP2)",
    words: ["mfi", "iap2", "external accessory", "easession", "externalaccessory"],
    asOf,
    source: "Apple, External Accessory",
    on: {
      macos: cell(
        "limited",
        "established",
        "the class exists; apps for iPhone and iPad on a Mac cannot connect",
      ),
      "ipad-m": cell("app", "established", "EASession, with the protocol in the app's Info.plist"),
      "ipad-a": cell("app", "established", "EASession, with the protocol in the app's Info.plist"),
      iphone: cell("app", "established", "EASession, with the protocol in the app's Info.plist"),
    },
  },
  {
    kind: "ncm",
    name: "CDC-NCM Ethernet",
    words: ["ncm", "cdc-ncm", "usb ethernet"],
    asOf,
    source: "DTS answer in thread 802640; reports of ESP-IDF 18079, TinyUSB 3505",
    on: everywhere(
      cell("built in", "established", "the system's own driver; the app uses TCP, UDP, Bonjour"),
    ),
  },
  {
    kind: "ecm",
    name: "CDC-ECM Ethernet",
    words: ["ecm", "cdc-ecm"],
    asOf,
    source: "reports",
    on: {
      macos: cell("built in", "established", "the system's own driver; needs its notification endpoint"),
      "ipad-m": cell("built in", "likely", "works in reports"),
      "ipad-a": cell("built in", "likely", "works in reports"),
      iphone: cell("built in", "likely", "works in reports"),
    },
  },
  {
    kind: "rndis",
    name: "RNDIS or CDC-EEM Ethernet",
    words: ["rndis", "eem", "cdc-eem"],
    asOf,
    source: "reports",
    on: everywhere(cell("no", "established", "no driver of the system's: offer NCM instead")),
  },
  {
    kind: "acm",
    name: "CDC-ACM serial device",
    words: ["acm", "cdc-acm", "usb modem"],
    asOf,
    source: "thread 826070",
    on: {
      macos: cell("built in", "established", "/dev/cu.usbmodem*"),
      "ipad-m": cell(
        "limited",
        "established",
        "the system's driver claims it and apps have no serial API; a dext may out-match it",
      ),
      "ipad-a": cell("no", "established", "no serial API for apps"),
      iphone: cell("no", "established", "no serial API for apps"),
    },
  },
  {
    kind: "usb-serial",
    name: "USB-serial chip (FTDI, CP210x, CH34x)",
    words: ["ftdi", "cp210x", "ch340", "ch34x", "usb-serial", "usb serial"],
    asOf,
    source: "posts on iPadOS serial drivers, case P13",
    on: {
      macos: cell("built in", "established", "the system's or the vendor's driver, as a tty"),
      "ipad-m": cell("dext", "established", "a driver of one's own and a protocol between it and the app"),
      "ipad-a": noDriver,
      iphone: noDriver,
    },
  },
  {
    kind: "hid",
    name: "HID keyboard, mouse or game controller",
    words: ["keyboard", "mouse", "game controller", "gamepad"],
    asOf,
    source: general,
    on: everywhere(cell("built in", "likely", "the system's own driver")),
  },
  {
    kind: "hid-raw",
    name: "HID device whose reports an app reads",
    words: ["raw hid", "hid reports", "iohidmanager", "corehid"],
    asOf,
    source: general,
    on: {
      macos: cell("app", "likely", "IOHIDManager, CoreHID"),
      "ipad-m": cell(
        "unknown",
        "unknown",
        "no public API; whether a dext of the HID family works is unknown",
      ),
      "ipad-a": cell("no", "likely", "no public API"),
      iphone: cell("no", "likely", "no public API"),
    },
  },
  {
    kind: "usb-audio",
    name: "USB audio or MIDI class device",
    words: ["usb audio", "uac1", "uac2", "midi", "headset"],
    asOf,
    source: general,
    on: everywhere(cell("built in", "likely", "CoreAudio, CoreMIDI")),
  },
  {
    kind: "storage",
    name: "USB mass storage",
    words: ["mass storage", "usb stick", "usb disk"],
    asOf,
    source: general,
    on: {
      macos: cell("built in", "likely", "volumes, and the raw device"),
      "ipad-m": cell("limited", "likely", "files only, through Files"),
      "ipad-a": cell("limited", "likely", "files only, through Files"),
      iphone: cell("limited", "likely", "files only, through Files"),
    },
  },
  {
    kind: "ccid",
    name: "CCID smart-card reader",
    words: ["ccid", "smart card", "smartcard"],
    asOf,
    source: general,
    on: everywhere(cell("app", "likely", "CryptoTokenKit (iOS and iPadOS 16 and later)")),
  },
  {
    kind: "uvc",
    name: "USB camera (UVC)",
    words: ["uvc", "webcam", "usb camera"],
    asOf,
    source: general,
    on: {
      macos: cell("built in", "likely", "AVFoundation"),
      "ipad-m": cell("built in", "likely", "AVFoundation, external cameras (iPadOS 17 and later)"),
      "ipad-a": cell("no", "likely", "no external cameras"),
      iphone: cell("no", "likely", "no external cameras"),
    },
  },
  {
    kind: "iokit",
    name: "IOKit from an app (IOServiceOpen, IOUSBHost)",
    words: ["iokit", "ioserviceopen", "iousbhost"],
    asOf,
    source: "DTS answer in thread 802640",
    on: {
      macos: cell("app", "established", "user clients, by entitlement"),
      "ipad-m": cell("limited", "established", "user clients of DriverKit drivers only"),
      "ipad-a": cell("no", "established", "nothing there may be opened"),
      iphone: cell("no", "established", "nothing there may be opened"),
    },
  },
];

/** The latest row of the kind that a phrase names by its longest word; null: it names none. */
export function deviceSupportOf(phrase: string): DeviceSupport | null {
  const text = ` ${phrase
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim()} `;
  let [best, length]: [DeviceSupport | null, number] = [null, 0];
  for (const row of deviceSupport)
    for (const word of [row.kind, ...row.words]) {
      const plain = word.replace(/[^a-z0-9]+/g, " ");
      if (!text.includes(` ${plain} `)) continue;
      if (plain.length > length || (best?.kind === row.kind && row.asOf > best.asOf))
        [best, length] = [row, plain.length];
    }
  return best;
}
