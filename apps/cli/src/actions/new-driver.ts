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
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";

const here = import.meta.dirname;
/** Beside `src` here, beside `dist` where this is packed. */
const templates = join(here, "../../templates");
/** What the project's own code imports; the command comes with the rest. */
const libraries = ["core", "node"];
const command = ["doctor", "board", "cases", "lab", "board-server", "cli"];

export function newDriverProject(
  { name, bus, json }: { readonly name: string; readonly bus: string; readonly json: boolean },
  io: CommandIo,
): ExitCode {
  const folder = join(process.cwd(), name);
  if (existsSync(folder)) throw new UsageError(`"${name}" is there already; nothing was written`);
  const pascal = name.replace(/(?:^|-)([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
  const fill = (text: string) =>
    text.replaceAll("__Name__", pascal).replaceAll("__name__", name).replaceAll("__bus__", bus.toUpperCase());
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
    for (const kind of ["common", bus])
      for (const entry of readdirSync(join(templates, kind))) {
        const target =
          entry === "ci.yml.template" ? ".github/workflows/test.yml" : fill(entry).replace(/\.template$/, "");
        mkdirSync(dirname(join(folder, target)), { recursive: true });
        writeFileSync(join(folder, target), fill(readFileSync(join(templates, kind, entry), "utf8")), {
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
