// The README of a packed package: what it is, how it is installed without a registry, and its doors.

import type { PackedPackage } from "./pack-graph.ts";

const beginnings: Readonly<Record<string, string>> = {
  "@drydock/core": `\`\`\`ts
import { openUsbRig } from "@drydock/node/open-rig";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";

const rig = openUsbRig();
rig.bus.plugIn(new LoopbackDevice());
await rig.run();
for (const { message } of rig.machine.log.show()) console.log(message);
\`\`\``,
};

export function packedReadme({ name, manifest, doors }: PackedPackage): string {
  const list = [...doors.keys()].map((path) => `- \`${name}/${path}\``);
  return [
    `# ${name}`,
    "",
    manifest.description,
    "",
    "Part of Drydock, a dry dock for device drivers: a driver is written, run, broken and traced without the hardware. It",
    "runs on Node 24 and newer and, where it needs no Node, in browsers; `import` and `require` both work.",
    "",
    "It is on no registry. `npm run pack` in the repository makes this archive; a project depends on it by path:",
    "",
    "```json",
    `"dependencies": { "${name}": "file:vendor/${name.slice(1).replace("/", "-")}-${manifest.version}.tgz" }`,
    "```",
    "",
    ...(beginnings[name] === undefined ? [] : [beginnings[name], ""]),
    ...(manifest.bin === undefined
      ? []
      : ["The command is `npx drydock`; `npx drydock --help` lists what it does.", ""]),
    ...(list.length === 0
      ? []
      : [
          "## Doors",
          "",
          "What may be imported. Everything else is internal and may move in any version.",
          "",
          ...list,
          "",
        ]),
    "Apache-2.0.",
    "",
  ].join("\n");
}
