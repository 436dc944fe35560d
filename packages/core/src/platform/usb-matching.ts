// USB's match keys: which sets of them are ranked, what may stand beside a set, and the comparison that decided.
//
// The sets are Apple's table (driverkit-core.md §11.2). What a key more does is not in it. Established: Apple's own example of a
// DriverKit personality for cameras (Core Media I/O, "Overriding the default USB video class extension") names class and subclass
// beside idVendor, idProduct, bInterfaceNumber and bConfigurationValue, two of those as "*". Likely, from the public ancestor of the
// family: such keys must be equal and add nothing, a wildcard costs 1000, a mask that was needed 500. docs/decisions/0011.

import { type MatchSubject, type MatchVerdict, refusal, showProperty, verdict } from "./match-verdict.ts";
import { type Properties, sameProperty } from "./properties.ts";

const idKeys = ["idVendor", "idProduct", "idProductMask", "idProductArray", "bcdDevice"] as const;
const deviceKeys = ["bDeviceClass", "bDeviceSubClass", "bDeviceProtocol"] as const;
const interfaceKeys = [
  "bConfigurationValue",
  "bInterfaceNumber",
  "bInterfaceClass",
  "bInterfaceSubClass",
  "bInterfaceProtocol",
] as const;

type Kind = "Device" | "Interface";

/** What a nub of that kind is asked for; the other kind's keys are not looked at (likely). */
const keysOf: Readonly<Record<Kind, readonly string[]>> = {
  Device: [...idKeys, ...deviceKeys],
  Interface: [...idKeys, ...interfaceKeys],
};

/** A legal combination. `vendorClass`: must the class be 0xFF (true), anything but 0xFF (false), or anything (null)? */
interface UsbRow {
  readonly keys: readonly string[];
  /** What may stand beside them: compared, not ranked. */
  readonly beside: readonly string[];
  readonly score: number;
  readonly vendorClass: boolean | null;
}

function rows(kind: Kind): readonly UsbRow[] {
  const place = kind === "Device" ? [] : ["bInterfaceNumber", "bConfigurationValue"];
  const [cls, sub, protocol] = [`b${kind}Class`, `b${kind}SubClass`, `b${kind}Protocol`];
  const ids = ["idVendor", "idProduct", ...place];
  const beside = [cls, sub, protocol];
  return [
    { keys: [...ids, "bcdDevice"], beside, score: 100_000, vendorClass: null },
    { keys: ids, beside, score: 90_000, vendorClass: null },
    { keys: ["idVendor", sub, protocol], beside: [cls], score: 80_000, vendorClass: true },
    { keys: ["idVendor", sub], beside: [cls], score: 70_000, vendorClass: true },
    { keys: [cls, sub, protocol], beside: [], score: 60_000, vendorClass: false },
    { keys: [cls, sub], beside: [], score: 50_000, vendorClass: false },
  ];
}

const rowsOf: Readonly<Record<Kind, readonly UsbRow[]>> = {
  Device: rows("Device"),
  Interface: rows("Interface"),
};
const wildcard = "*";
const wildcardCost = 1000;
const maskCost = 500;

/** A mask and a list of products stand for the product. */
function normalUsbKeys(given: readonly string[]): ReadonlySet<string> {
  return new Set(
    given.map((key) => (key === "idProductMask" || key === "idProductArray" ? "idProduct" : key)),
  );
}

/** The rows that this set of keys is one of, best first. */
function legalRows(kind: Kind, given: readonly string[]): readonly UsbRow[] {
  const normal = normalUsbKeys(given);
  return rowsOf[kind].filter(
    ({ keys, beside }) =>
      keys.every((key) => normal.has(key)) &&
      [...normal].every((key) => keys.includes(key) || beside.includes(key)),
  );
}

function allowsClass({ vendorClass }: UsbRow, cls: unknown): boolean {
  return vendorClass === null || (cls === 0xff) === vendorClass;
}

/** A personality's USB keys where its provider is a device or an interface and they are no set of the table; else null. */
export function unlistedUsbKeys(table: Properties): readonly string[] | null {
  const provider = table.IOProviderClass;
  if (provider !== "IOUSBHostDevice" && provider !== "IOUSBHostInterface") return null;
  const kind = provider === "IOUSBHostDevice" ? "Device" : "Interface";
  const own = keysOf[kind].filter((key) => table[key] !== undefined);
  const cls = table[`b${kind}Class`];
  const isListed = legalRows(kind, own).some(
    (row) => cls === undefined || cls === wildcard || allowsClass(row, cls),
  );
  // Only the other kind's keys: none that is looked at.
  const given = [...keysOf.Interface, ...deviceKeys].filter((key) => table[key] !== undefined);
  return given.length === 0 || isListed ? null : given;
}

/** USB's table of legal key sets: anything else matches nothing, and the reason says which key is in the way. */
export function matchUsb(table: Properties, subject: MatchSubject): MatchVerdict | null {
  const kind = subject.classChain.includes("IOUSBHostInterface")
    ? "Interface"
    : subject.classChain.includes("IOUSBHostDevice")
      ? "Device"
      : null;
  if (kind === null) return null;
  const other = kind === "Device" ? interfaceKeys : deviceKeys;
  const given = keysOf[kind].filter((key) => table[key] !== undefined);
  const strange = other.filter((key) => table[key] !== undefined);
  if (given.length === 0)
    return strange.length === 0
      ? null
      : refusal(`an IOUSBHost${kind} is not asked for ${strange.join(" + ")}`, strange[0], table[strange[0]]);
  for (const key of given) {
    const refused = table[key] === wildcard ? null : compareUsbKey(key, table, subject);
    if (refused !== null) return refused;
  }
  return rankUsb(kind, given, strange, table, subject);
}

function rankUsb(
  kind: Kind,
  given: readonly string[],
  strange: readonly string[],
  table: Properties,
  subject: MatchSubject,
): MatchVerdict {
  const cls = subject.properties[`b${kind}Class`];
  const legal = legalRows(kind, given);
  const row = legal.find((one) => allowsClass(one, cls));
  if (row === undefined) {
    const set = [...normalUsbKeys(given)].join(" + ");
    if (legal.length === 0) return refusal(`${set} is no legal key combination for an IOUSBHost${kind}`, set);
    const must = legal[0].vendorClass
      ? "is legal only when the class is 0xff"
      : "is legal only when the class is not 0xff";
    return refusal(`${set} ${must}`, `b${kind}Class`, 0xff, cls);
  }
  const stars = row.keys.filter((key) => table[key] === wildcard);
  const isMasked = table.idProductMask !== undefined && !hasProductAsIs(table, subject);
  const score = row.score - stars.length * wildcardCost - (isMasked ? maskCost : 0);
  const beside = given.filter((key) => row.beside.includes(key) && !row.keys.includes(key));
  const notes = [
    ...(stars.length === 0 ? [] : [`${stars.join(", ")} by "*"`]),
    ...(isMasked ? ["idProduct under a mask"] : []),
    ...(beside.length === 0 ? [] : [`${beside.join(", ")} compared, not ranked (likely)`]),
    ...(strange.length === 0
      ? []
      : [`${strange.join(", ")} not looked at on a ${kind.toLowerCase()} (likely)`]),
  ];
  const said = notes.length === 0 ? "" : `; ${notes.join("; ")}`;
  return verdict(score, `${row.keys.join(" + ")} are equal: ${score}${said}`);
}

function hasProductAsIs({ idProduct, idProductArray }: Properties, { properties }: MatchSubject): boolean {
  const found = properties.idProduct;
  return idProduct === found || (Array.isArray(idProductArray) && idProductArray.includes(found));
}

/** One key of a personality or of an entitlement; null: it fits. */
export function compareUsbKey(key: string, table: Properties, subject: MatchSubject): MatchVerdict | null {
  const wanted = table[key];
  const isProduct = key === "idProduct" || key === "idProductArray";
  const mask = isProduct ? table.idProductMask : undefined;
  if (key === "idProductArray") {
    const found = subject.properties.idProduct;
    const bits = typeof mask === "number" ? mask : -1;
    const fits = (one: unknown): boolean =>
      typeof one === "number" && typeof found === "number" && (one & bits) === (found & bits);
    if (Array.isArray(wanted) && wanted.some(fits)) return null;
    const under = typeof mask === "number" ? ` under the mask ${showProperty(mask)}` : "";
    return refusal(`idProduct ${showProperty(found)} is not in idProductArray${under}`, key, wanted, found);
  }
  if (key === "idProductMask") return null;
  const found = subject.properties[key];
  if (typeof mask === "number" && typeof wanted === "number" && typeof found === "number") {
    if ((wanted & mask) === (found & mask)) return null;
    return refusal(
      `idProduct differs under the mask ${showProperty(mask)}`,
      key,
      wanted & mask,
      found & mask,
    );
  }
  if (found !== undefined && sameProperty(wanted, found)) return null;
  const type =
    typeof wanted !== typeof found && found !== undefined
      ? ` (a ${typeof wanted} never equals a ${typeof found})`
      : "";
  return refusal(
    `${key} is ${showProperty(found)}, wanted ${showProperty(wanted)}${type}`,
    key,
    wanted,
    found,
  );
}
