// What is packed besides code: the board's pages and posts, templates of projects, C++ of the dexts' runtime.

import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Of the board's own code, what makes its pages (apps/board/src/assets.ts, still-true-runs.ts). */
interface BoardParts {
  readonly assetNames: readonly string[];
  assetOf(name: string): Promise<{ readonly body: string }> | null;
  buildOf(root: string, version: string): string;
}

async function boardParts(board: string): Promise<BoardParts> {
  const part = (name: string) => import(pathToFileURL(join(board, "src", name)).href) as Promise<BoardParts>;
  const [{ assetNames, assetOf }, { buildOf }] = await Promise.all([
    part("assets.ts"),
    part("still-true-runs.ts"),
  ]);
  return { assetNames, assetOf, buildOf };
}

/** Folders whose pages the board shows (apps/board/src/doc-pages.ts). */
const pageFolders = ["docs", "packages/core/src/devices", "packages/core/src/drivers", "cases"];

/** The board's assets with the scripts of its pages built, its posts, and the documents that its pages show. */
export async function stageBoardContent(root: string, stage: string, version: string): Promise<void> {
  const board = join(root, "apps/board");
  const { assetNames, assetOf, buildOf } = await boardParts(board);
  for (const folder of ["assets", "seed"])
    cpSync(join(board, folder), join(stage, folder), { recursive: true });
  for (const name of assetNames.filter((each) => each.endsWith(".js"))) {
    const built = await assetOf(name);
    if (built === null) throw new Error(`the board has no ${name}`);
    writeFileSync(join(stage, "assets", name), built.body);
  }
  const content = join(stage, "content");
  for (const folder of pageFolders) copyPages(join(root, folder), join(content, folder));
  writeFileSync(join(content, "build-digest.txt"), `${buildOf(root, version)}\n`);
}

function copyPages(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) copyPages(path, join(to, entry.name));
    else if (entry.name.endsWith(".md")) {
      mkdirSync(dirname(join(to, entry.name)), { recursive: true });
      cpSync(path, join(to, entry.name));
    }
  }
}

/** The page's side of the fixtures, built (packages/fixtures/src/page-script.ts). */
export async function stagePageScript(root: string, stage: string): Promise<void> {
  const { buildPageScript, pageScriptName } = (await import(
    pathToFileURL(join(root, "packages/fixtures/src/page-script.ts")).href
  )) as { buildPageScript(): Promise<string>; pageScriptName: string };
  writeFileSync(join(stage, "dist", pageScriptName), await buildPageScript());
}

/** What `drydock new` makes projects from. */
export function stageProjectTemplates(root: string, stage: string): void {
  const from = join(root, "apps/cli/templates");
  if (!existsSync(from)) return;
  mkdirSync(join(stage, "templates"), { recursive: true });
  cpSync(from, join(stage, "templates"), { recursive: true });
}

/** The C++ runtime and the descriptions of frameworks, which a build of a dext reads beside its own code. */
export function stageDextTexts(root: string, stage: string): void {
  const sources = join(root, "packages/dext/src");
  cpSync(join(sources, "cxx"), join(stage, "dist/cxx"), { recursive: true });
  for (const name of readdirSync(join(sources, "frameworks")).filter((each) => each.endsWith(".iig"))) {
    mkdirSync(join(stage, "dist/frameworks"), { recursive: true });
    cpSync(join(sources, "frameworks", name), join(stage, "dist/frameworks", name));
  }
}
