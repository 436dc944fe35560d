// The lab as files, from any static server or by a double click: its page, its scripts, and what a server would answer.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keptScript } from "@drydock/lab/page/kept-files";
import { workerNames } from "@drydock/lab/page/worker-port";
import { assetOf } from "./assets.ts";
import { labPage, listedRigs } from "./lab-page.ts";
import type { OpenBoard } from "./server.ts";

export interface Published {
  readonly pages: number;
  readonly bytes: number;
}

/** Files of a copy by their path below it. */
export type CopyFiles = ReadonlyMap<string, string>;

/** What the page's own scripts load by name. */
const shownAssets = [
  "style.css",
  "more.css",
  "lab.css",
  "lab-screens.css",
  "favicon.svg",
  "lab.js",
  "lab-static.js",
  "lab-screens.js",
  "lab-seeds.js",
  "lab-terminal.js",
];
const plainWorkers = ["case-worker.js", "evidence-worker.js", "source-worker.js"];
const binaries = ["source-runtime.wasm", "source-grammar.wasm"];

/** Of the frame in which C++ is read: it compiles WebAssembly, and has nobody to ask but the page around it. */
const framePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Reader of source</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; base-uri 'none'; form-action 'none'">
<script src="source-worker.js.js" defer></script><script src="../lab-frame.js" defer></script>
</head>
</html>
`;

const bodyOf = async (name: string): Promise<string | Uint8Array> => {
  const asset = await assetOf(name);
  if (asset === null) throw new Error(`there is no ${name}`);
  return asset.body;
};

/** What lies beside the lab's page in any copy: workers, lists and WebAssembly as scripts. `cases`: as `/cases.json` has it. */
export async function keptLabFiles(cases: unknown): Promise<CopyFiles> {
  const texts = new Map<string, string>();
  const later = String(await bodyOf("lab-later.js"));
  // A worker of a text has no address from which it could load more.
  for (const name of workerNames) texts.set(name, `${later};\n${String(await bodyOf(name))}`);
  for (const name of plainWorkers) texts.set(name, String(await bodyOf(name)));
  for (const name of binaries) texts.set(name, Buffer.from(await bodyOf(name)).toString("base64"));
  texts.set("rigs.json", JSON.stringify(listedRigs([])));
  texts.set("cases.json", JSON.stringify(cases));
  const files = new Map([["kept/source.html", framePage]]);
  for (const [name, text] of texts) files.set(`kept/${name}.js`, keptScript(name, text));
  files.set("lab-frame.js", String(await bodyOf("lab-frame.js")));
  return files;
}

export function writeCopy(folder: string, files: CopyFiles): Published {
  let bytes = 0;
  for (const [file, text] of files) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    bytes += Buffer.byteLength(text);
  }
  return { pages: files.size, bytes };
}

/** As `/cases.json` answers. Throws Error where the board does not answer. */
export async function casesOf({ app, site }: OpenBoard): Promise<unknown> {
  const host = [...site.hosts()][0];
  const response = await app.request(`http://${host}/cases.json`, { headers: { host } });
  if (response.status !== 200) throw new Error(`the list of cases could not be made: ${response.status}`);
  return await response.json();
}

/** The lab alone, below `folder`. Its cases are run first, so that their list says what holds. Throws what the system throws. */
export async function publishLab(open: OpenBoard, folder: string): Promise<Published> {
  await open.site.stillTrue.runAll(false);
  const { cases } = (await casesOf(open)) as { readonly cases: readonly object[] };
  const files = new Map<string, string>([["index.html", labPage("")]]);
  for (const name of shownAssets) files.set(name, String(await bodyOf(name)));
  // The posts of a board that is not in the copy are nowhere.
  const alone = cases.map((entry) => ({
    ...entry,
    post: null,
    replies: 0,
    boosts: 0,
    views: 0,
    activity: null,
  }));
  for (const [name, text] of await keptLabFiles({ cases: alone })) files.set(name, text);
  return writeCopy(folder, files);
}
