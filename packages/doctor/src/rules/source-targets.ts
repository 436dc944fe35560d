// To which kind of target a source file belongs: driver extension, kernel extension, or nothing that tells.

import type { Evidence } from "../evidence/evidence.ts";
import type { Fact } from "../evidence/facts.ts";
import { listsOf } from "../signing/entitlement-lists.ts";
import type { SourceFile } from "../source/source-file.ts";

/** Headers that no SDK of DriverKit has. */
const kernelHeaders =
  /^\s*#\s*(?:include|import)\s*<(?:IOKit\/(?:IOLib|IOService|IOWorkLoop|IOCommandGate|IOEventSource|IOTimerEventSource|IOMessage|IOBufferMemoryDescriptor|(?:pwr_mgt|hidsystem)\/\w+)|libkern\/c\+\+\/\w+|sys\/(?:proc|kauth|systm))\.h>/gm;
/** Somebody who ports a kext may have left one or two. */
const kextHeaders = 3;

/** Code of a kext by its own includes; the kernel's own families include headers of DriverKit, too. */
export function isKext(file: SourceFile): boolean {
  if ((file.text.match(kernelHeaders) ?? []).length >= kextHeaders) return true;
  return (
    /^\s*#\s*(?:include|import)\s*<(?:IOKit\/(?!IOReturn|IOKitLib|IOTypes|IOKitKeys|usb\/IOUSBLib|IOCFPlugIn|hid\/IOHIDLib|hid\/IOHIDKeys|IOBSD|serial\/|storage\/)|libkern\/)/m.test(
      file.text,
    ) && !/DriverKit\//.test(file.text)
  );
}

const known = new WeakMap<Evidence, ReadonlySet<SourceFile>>();

/**
 * Files of kernel extensions. The Info.plist that lies nearest decides: in the file's own folder or the first one above
 * that has any. Where none does, the file's includes tell, then the files that it includes, then the files that declare
 * the classes it derives from or implements.
 */
export function kextFiles(evidence: Evidence): ReadonlySet<SourceFile> {
  const before = known.get(evidence);
  if (before !== undefined) return before;
  const files = evidence.facts("source");
  const targets = targetsByFolder(evidence);
  const kexts = new Set<SourceFile>();
  const undecided: Fact<"source">[] = [];
  for (const file of files) {
    const target = nearestTarget(targets, file.place.file);
    if (target === "KEXT") kexts.add(file.value);
    else if (target === "DEXT") continue;
    else if (isKext(file.value)) kexts.add(file.value);
    else undecided.push(file);
  }
  const names = new Map<string, SourceFile[]>();
  const classes = new Map<string, SourceFile[]>();
  for (const { place, value } of files) {
    const name = baseName(place.file);
    names.set(name, [...(names.get(name) ?? []), value]);
    for (const one of value.classes) classes.set(one.name, [...(classes.get(one.name) ?? []), value]);
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const { value } of undecided) {
      if (kexts.has(value) || /DriverKit\//.test(value.text)) continue;
      if (!relatives(value, names, classes).some((other) => kexts.has(other))) continue;
      kexts.add(value);
      grown = true;
    }
  }
  known.set(evidence, kexts);
  return kexts;
}

type Target = "KEXT" | "DEXT" | "other" | "several";

function targetsByFolder(evidence: Evidence): ReadonlyMap<string, Target> {
  const found = new Map<string, Target>();
  for (const { place, value } of listsOf(evidence, "Info.plist")) {
    const target = targetOf(value.value);
    if (target === null) continue;
    const folder = folderOf(place.file);
    const there = found.get(folder);
    found.set(folder, there === undefined || there === target ? target : "several");
  }
  return found;
}

function targetOf(info: Readonly<Record<string, unknown>>): Target | null {
  const type = info.CFBundlePackageType;
  if (type === "KEXT" || type === "DEXT") return type;
  const libraries = info.OSBundleLibraries;
  if (typeof libraries === "object" && libraries !== null && !("OSBundleUsageDescription" in info))
    return "KEXT";
  const personalities = Object.values((info.IOKitPersonalities as object | undefined) ?? {});
  if (personalities.some((one) => typeof one === "object" && one !== null && "IOUserClass" in one))
    return "DEXT";
  return typeof type === "string" && /^[A-Z]{4}$/.test(type) ? "other" : null;
}

/** "other": an app's Info.plist says nothing of the folders below it that have none. */
function nearestTarget(targets: ReadonlyMap<string, Target>, file: string): Target | null {
  for (let folder = folderOf(file); ; folder = folderOf(folder)) {
    const target = targets.get(folder);
    if (target !== undefined) return target === "KEXT" || target === "DEXT" ? target : null;
    if (folder === "") return null;
  }
}

function relatives(
  file: SourceFile,
  names: ReadonlyMap<string, readonly SourceFile[]>,
  classes: ReadonlyMap<string, readonly SourceFile[]>,
): SourceFile[] {
  const included = [...file.text.matchAll(/^\s*#\s*(?:include|import)\s*[<"]([\w./+-]+)[>"]/gm)].flatMap(
    ([, path]) => names.get(baseName(path)) ?? [],
  );
  const wanted = [
    ...file.classes.flatMap(({ bases }) => bases),
    ...file.functions.map(({ className }) => className),
  ].flatMap((name) => classes.get(name) ?? []);
  return [...included, ...wanted].filter((other) => other !== file);
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
