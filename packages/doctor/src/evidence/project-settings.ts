// Xcode projects and .xcconfig files: build settings by target and configuration.

import type { BuildSettings } from "../facts/build-settings.ts";
import type { TextReader } from "./reader.ts";

/** Of a project, targets by configurations; a generated one has some hundred. */
const mostConfigurations = 2000;
const mostSettings = 2000;
const targetKeys = ["PRODUCT_BUNDLE_IDENTIFIER", "INFOPLIST_FILE", "CODE_SIGN_ENTITLEMENTS"];

export const projectReader: TextReader = {
  kind: "source",
  anchors: ["XCBuildConfiguration"],
  read(document, sink) {
    const { text } = document;
    if (!/^\uFEFF?\/\/ !\$\*UTF8\*\$!/.test(text)) return;
    const start = /\bbuildSettings\s*=\s*\{/g;
    for (let count = 0; count < mostConfigurations; count++) {
      const match = start.exec(text);
      if (match === null) return;
      const { end, settings } = settingsAt(text, start.lastIndex);
      // The configuration's name follows its settings.
      const name = /^\s*;\s*name\s*=\s*"?([^";\n]{0,200})"?\s*;/.exec(text.slice(end, end + 400))?.[1] ?? "";
      const isShared = !targetKeys.some((key) => key in settings);
      sink.add("build-settings", document.placeAt(match.index), { configuration: name, isShared, settings });
      start.lastIndex = end;
    }
  },
};

export const xcconfigReader: TextReader = {
  kind: "source",
  anchors: ["PRODUCT_BUNDLE_IDENTIFIER", "DEVELOPMENT_TEAM", "CODE_SIGN_ENTITLEMENTS", "INFOPLIST_FILE"],
  read(document, sink) {
    const { name, text } = document;
    if (!name.endsWith(".xcconfig")) return;
    const settings: Record<string, string> = Object.create(null);
    for (const line of text.split("\n").slice(0, mostSettings)) {
      const match = /^\s*([A-Za-z_]\w{0,200})(\[[^\]\n]{0,200}\])?\s*=\s*(.*)$/.exec(line);
      // What holds for one SDK or architecture alone is not taken.
      if (match !== null && match[2] === undefined)
        settings[match[1]] = match[3].replace(/\s*\/\/.*$/, "").trim();
    }
    const isShared = !("INFOPLIST_FILE" in settings || "CODE_SIGN_ENTITLEMENTS" in settings);
    const own: BuildSettings = { configuration: "", isShared, settings };
    sink.add("build-settings", document.place(1), own);
  },
};

/** `KEY = value; "KEY[sdk=x]" = "value"; KEY = (a, b,);` up to the closing brace. What does not look so ends it. */
function settingsAt(text: string, from: number): { settings: Record<string, string>; end: number } {
  const settings: Record<string, string> = Object.create(null);
  const entry =
    /\s*(?:"((?:[^"\\]|\\.){0,300})"|([\w./$-]{1,300}))\s*=\s*(?:"((?:[^"\\]|\\.){0,20000})"|(\()|([^;"({\s][^;\n]{0,20000}))/y;
  let at = from;
  for (let count = 0; count < mostSettings; count++) {
    entry.lastIndex = at;
    const match = entry.exec(text);
    if (match === null) break;
    const key = match[1] ?? match[2];
    at = entry.lastIndex;
    let value = match[3] ?? match[5] ?? "";
    if (match[4] !== undefined) {
      const close = closingBracket(text, at);
      if (close < 0) break;
      // Lists are of search paths and flags: as one text, as Xcode prints them.
      value = text.slice(at, close).replace(/[",\s]+/g, " ");
      at = close + 1;
    }
    const semicolon = /\s*;/y;
    semicolon.lastIndex = at;
    if (semicolon.exec(text) === null) break;
    at = semicolon.lastIndex;
    settings[key] = unescaped(value.trim());
  }
  const close = text.indexOf("}", at);
  return { settings, end: close < 0 ? text.length : close + 1 };
}

/** Of a list; brackets inside quotes are not counted. */
function closingBracket(text: string, from: number): number {
  let isQuoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === ")" && !isQuoted) return at;
  }
  return -1;
}

function unescaped(value: string): string {
  return value.replace(/\\(.)/g, "$1");
}
