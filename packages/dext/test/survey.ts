// How far public dexts come: node packages/dext/test/survey.ts FOLDER, a folder of checkouts, each read in place.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { hostTurn } from "@drydock/node/host-turn";
import { buildDext } from "../src/build/build-dext.ts";
import { cacheFolder } from "../src/build/cache-folder.ts";
import { DextImage } from "../src/host/dext-image.ts";
import { findDextSources } from "../src/project/dext-sources.ts";
import { filesBelow } from "../src/project/xcode-project.ts";
import { machineCompiler } from "../src/run/compile-dext.ts";
import { askedRig } from "../src/run/dext-rig.ts";
import { runDext, tryUserClients } from "../src/run/dext-run.ts";
import { useSerialPorts } from "../src/run/serial-use.ts";

interface Row {
  readonly repository: string;
  readonly commit: string;
  readonly licence: string;
  readonly stage: "nothing" | "parsed" | "compiled" | "started" | "main path";
  readonly first: string;
}

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node packages/dext/test/survey.ts FOLDER");
  process.exit(2);
}
const compiler = await machineCompiler();
const cache = cacheFolder(process.platform, process.env, homedir());

function git(path: string, ...args: string[]): string {
  const { status, stdout } = spawnSync("git", ["-C", path, ...args], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : "";
}

/** The licence's own name, by the words that it begins with. */
function licenceOf(path: string): string {
  const file = readdirSync(path).find(
    (name) => /^(?:licen[cs]e|copying)/i.test(name) && statSync(join(path, name)).isFile(),
  );
  if (file === undefined) return "none stated";
  const text = readFileSync(join(path, file), "utf8");
  const known: readonly (readonly [RegExp, string])[] = [
    [/Apache License/i, "Apache-2.0"],
    [/GNU GENERAL PUBLIC LICENSE/i, "GPL"],
    [/GNU LESSER/i, "LGPL"],
    [/Mozilla Public/i, "MPL"],
    [/Permission is hereby granted, free of charge/i, "MIT"],
    [/Redistribution and use in source and binary forms/i, "BSD"],
    [/unencumbered software/i, "Unlicense"],
  ];
  return known.find(([pattern]) => pattern.test(text))?.[1] ?? "other";
}

async function survey(path: string): Promise<Row> {
  const remote = git(path, "config", "--get", "remote.origin.url");
  const repository =
    remote === ""
      ? basename(path)
      : remote
          .replace(/\/repo\/?$/, "")
          .split("/")
          .slice(-1)[0]
          .replace("+", "/");
  const row = { repository, commit: git(path, "rev-parse", "--short", "HEAD"), licence: licenceOf(path) };
  try {
    const sources = findDextSources([path]);
    const build = await buildDext(sources, compiler, { cache, checksRealTarget: false });
    const wrong = [...build.findings, ...build.diagnostics].find(({ severity }) => severity === "error");
    if (build.module === null) {
      const missing = build.missing[0];
      const first = missing === undefined ? (wrong?.message ?? "") : `${missing.name} is missing`;
      return { ...row, stage: build.stage === "nothing" ? "nothing" : "parsed", first };
    }
    const description = {
      image: new DextImage(build.module),
      info: sources.info,
      entitlements: sources.entitlements,
    };
    let calls = 0;
    const result = await runDext(description, ({ bundle }) => askedRig(bundle, { seed: 1, turn: hostTurn }), {
      settleNs: 3e9,
      use: async (rig) => {
        calls = await tryUserClients(rig, String(sources.info.CFBundleIdentifier ?? ""));
        // A serial dext's main path: a program's bytes leave through its port, and bytes come in.
        for (const { received, taken } of await useSerialPorts(rig)) if (taken > 0 && received > 0) calls++;
      },
    });
    const trouble = result.findings[0] ?? result.notImplemented[0] ?? "";
    if (!result.isStarted)
      return {
        ...row,
        stage: "compiled",
        first: trouble === "" ? (result.outcomes[0] ?? "no personality matched") : trouble,
      };
    return {
      ...row,
      stage: calls > 0 && result.findings.length === 0 ? "main path" : "started",
      first: trouble,
    };
  } catch (error) {
    return {
      ...row,
      stage: "nothing",
      first: error instanceof Error ? error.message.split("\n")[0] : String(error),
    };
  }
}

const rows: Row[] = [];
for (const name of readdirSync(folder).sort()) {
  const path = join(folder, name);
  if (!statSync(path).isDirectory() || !existsSync(path)) continue;
  if (!filesBelow(path).some((file) => file.endsWith(".iig"))) continue;
  const row = await survey(path);
  rows.push(row);
  console.log([row.repository, row.commit, row.licence, row.stage, row.first].join("\t"));
}
const reached = (stages: readonly string[]) => rows.filter(({ stage }) => stages.includes(stage)).length;
console.error(
  `${rows.length} dexts: ${reached(["compiled", "started", "main path"])} compile, ${reached(["started", "main path"])} start, ${reached(["main path"])} run their main path`,
);
