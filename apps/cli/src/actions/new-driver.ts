// drydock new driver: templates filled in, Drydock's own archives beside them, nothing written over.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { viewConfiguration } from "@drydock/core/codec/usb/configuration-view";
import { encodeDeviceDescriptor } from "@drydock/core/codec/usb/descriptors";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import type { InputFile } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { readDeviceSource } from "./device-source.ts";

const here = import.meta.dirname;
/** Beside `src` here, beside `dist` where this is packed. */
const templates = join(here, "../../templates");
/** What the project's own code imports; the command comes with the rest. */
const libraries = ["core", "node"];
const command = ["doctor", "board", "cases", "lab", "board-server", "cli"];

interface NewDriver {
  readonly name: string;
  readonly bus: string;
  readonly from?: InputFile | undefined;
  readonly language?: "typescript" | "cpp" | undefined;
  readonly json: boolean;
}

/** A dext: sources, Info.plist and entitlements, and nothing of ours beside them. */
function newDext({ name, bus, json }: NewDriver, io: CommandIo): ExitCode {
  if (bus !== "usb")
    throw new UsageError(
      `--language cpp begins with a USB driver: it goes with --bus usb, not with --bus ${bus}`,
    );
  const folder = join(process.cwd(), name);
  if (existsSync(folder)) throw new UsageError(`"${name}" is there already; nothing was written`);
  const pascal = name.replace(/(?:^|-)([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
  mkdirSync(folder);
  try {
    for (const entry of readdirSync(join(templates, "cpp"))) {
      const target = entry.replace("__Name__", pascal).replace(/\.template$/, "");
      const text = readFileSync(join(templates, "cpp", entry), "utf8").replaceAll("__Name__", pascal);
      writeFileSync(join(folder, target), text, { flag: "wx" });
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  if (json) io.document({ name, bus, language: "cpp", folder });
  else io.print(`${name}\n`);
  io.say(`\n  drydock dext run ${name}\n  drydock dext test ${name}`);
  return exitCodes.pass;
}

export function newDriverProject(line: NewDriver, io: CommandIo): ExitCode {
  const { name, bus, from, json, language } = line;
  if (language === "cpp") return newDext(line, io);
  if (from !== undefined && bus !== "usb")
    throw new UsageError(`--from begins with a USB device: it goes with --bus usb, not with --bus ${bus}`);
  const words = from === undefined ? {} : wordsOf(from);
  const kind = from === undefined ? bus : "usb-from";
  const folder = join(process.cwd(), name);
  if (existsSync(folder)) throw new UsageError(`"${name}" is there already; nothing was written`);
  const pascal = name.replace(/(?:^|-)([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
  const known = new Map(Object.entries({ Name: pascal, name, bus: bus.toUpperCase(), ...words }));
  // In one pass: what a device calls itself is no place for another word.
  const fill = (text: string) =>
    text.replace(/__(\w+?)__/g, (whole, word: string) => known.get(word) ?? whole);
  mkdirSync(join(folder, "vendor"), { recursive: true });
  try {
    const archives = copyArchives(join(folder, "vendor"));
    const file = (library: string) => {
      const archive = archives.find((one) => new RegExp(`^drydock-${library}-\\d`).test(one));
      if (archive === undefined) throw new Error(`there is no archive of @drydock/${library}`);
      return [`@drydock/${library}`, `file:vendor/${archive}`] as const;
    };
    const manifest = {
      name,
      version: "0.1.0",
      private: true,
      type: "module",
      engines: { node: ">=24" },
      scripts: { test: "node --test" },
      dependencies: Object.fromEntries(libraries.map(file)),
      devDependencies: Object.fromEntries(command.map(file)),
    };
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    writeFileSync(join(folder, ".gitignore"), "node_modules/\n");
    for (const place of ["common", kind])
      for (const entry of readdirSync(join(templates, place))) {
        const target =
          entry === "ci.yml.template" ? ".github/workflows/test.yml" : fill(entry).replace(/\.template$/, "");
        mkdirSync(dirname(join(folder, target)), { recursive: true });
        writeFileSync(join(folder, target), fill(readFileSync(join(templates, place, entry), "utf8")), {
          flag: "wx",
        });
      }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  if (json) io.document({ name, bus, folder });
  else io.print(`${name}\n`);
  io.say(`\n  cd ${name} && npm install && npm test\n  npx drydock explore ./${name}.rig.ts`);
  return exitCodes.pass;
}

/** What the templates of a device that is there need to know. */
function wordsOf(from: InputFile): Readonly<Record<string, string>> {
  const { device, configurations, strings, firstInterface } = (() => {
    try {
      return readDeviceSource(from.bytes());
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${from.label} ${error.message}`);
      throw error;
    }
  })();
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const { configuration } = viewConfiguration(configurations[0], UsbSpeed.high);
  const endpoints = configuration.interfaces.find(({ number }) => number === firstInterface)?.settings[0]
    ?.endpoints;
  const sizes = configuration.interfaces.flatMap(({ settings }) =>
    settings.flatMap((setting) =>
      setting.endpoints.map(({ descriptor }) => descriptor.wMaxPacketSize & 0x7ff),
    ),
  );
  const isHigh = device.bcdUSB >= 0x0200 && sizes.some((size) => size > 64);
  const speed = device.bMaxPacketSize0 === 9 ? "super" : isHigh ? "high" : "full";
  return {
    idVendor: `0x${device.idVendor.toString(16).padStart(4, "0")}`,
    idProduct: `0x${device.idProduct.toString(16).padStart(4, "0")}`,
    speed,
    device: hex(encodeDeviceDescriptor(device)),
    configurations: configurations.map((bytes) => `"${hex(bytes)}"`).join(", "),
    strings: JSON.stringify(strings),
    interface: String(firstInterface),
    configuration: String(configuration.descriptor.bConfigurationValue),
    endpoints: (endpoints ?? [])
      .map(({ descriptor }) => `0x${descriptor.bEndpointAddress.toString(16)}`)
      .join(", "),
  };
}

/** Archives of what runs this command: as the packer made them, or packed again from where they are installed. */
function copyArchives(vendor: string): string[] {
  const built = join(here, "../../../../build/pack");
  const isRepository = existsSync(join(here, "../../../../house/pack.ts"));
  if (isRepository) {
    if (!existsSync(built))
      throw new Error('nothing is packed yet: run "npm run pack" in the repository, then this again');
    const archives = readdirSync(built).filter((one) => one.endsWith(".tgz"));
    for (const archive of archives) copyFileSync(join(built, archive), join(vendor, archive));
    return archives;
  }
  const folders = [...libraries, ...command].map((library) =>
    dirname(fileURLToPath(import.meta.resolve(`@drydock/${library}/package.json`))),
  );
  const cache = mkdtempSync(join(tmpdir(), "drydock-pack-"));
  try {
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    const run = spawnSync(
      npm,
      [
        "pack",
        "--silent",
        "--ignore-scripts",
        "--offline",
        "--cache",
        cache,
        "--pack-destination",
        vendor,
        ...folders,
      ],
      { encoding: "utf8", shell: process.platform === "win32" },
    );
    if (run.status !== 0)
      throw new Error(`npm cannot pack Drydock again: ${run.error?.message ?? run.stderr}`);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
  return readdirSync(vendor);
}
