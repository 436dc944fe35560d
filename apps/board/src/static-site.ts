// A board as files: every page that a reader can reach, links made relative, cases running in the page.

import { assetNames } from "./assets.ts";
import type { OpenBoard } from "./server.ts";
import { casesOf, keptLabFiles, type Published, writeCopy } from "./static-lab.ts";

/** Addresses beyond this are more than a copy for reading should hold. */
const mostPages = 500_000;

/** Of a case's address only the case: seed, side and step are the page's own work. Of a reply's, the place in its page. */
const pageQuery = /^(?:sort|order|after|view)=/;

/** What only the lab's doctor asks for is no text, and lies beside the lab as scripts. */
const textAssets = assetNames.filter((name) => !name.endsWith(".wasm"));

interface Target {
  /** What the server is asked. */
  readonly request: string;
  /** Below the copy's root. */
  readonly file: string;
  /** Kept behind the file's name. */
  readonly rest: string;
}

const segment = (text: string): string => {
  const plain = decodeURIComponent(text).replace(/[^A-Za-z0-9._-]+/g, "-");
  // A name of dots would lead elsewhere.
  return /^\.*$/.test(plain) ? "-" : plain;
};

/** Where an address of the board lies in a copy; null for what a copy does not hold. */
export function targetOf(href: string): Target | null {
  const found = /^(\/[^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(href.replaceAll("&amp;", "&"));
  if (found === null || href.startsWith("//")) return null;
  const [, path, query = "", hash = ""] = found;
  if (/^\/(?:search|api\.json|health|robots\.txt)/.test(path) || /\/(?:new|edit)$/.test(path)) return null;
  let names: string[];
  try {
    names = path
      .split("/")
      .filter((name) => name !== "")
      .map(segment);
  } catch {
    return null;
  }
  const isFile = /\.(?:css|js|svg|atom|json|md|txt)$/.test(path) && !path.startsWith("/symptoms/");
  const listed = query.split("&").filter((part) => pageQuery.test(part));
  if (isFile) return { request: path, file: names.join("/"), rest: "" };
  const file = [
    ...names,
    ...(listed.length === 0 ? [] : [segment(listed.join("-").replaceAll("=", "-"))]),
    "index.html",
  ].join("/");
  const request = listed.length === 0 ? path : `${path}?${listed.join("&")}`;
  const rest = path.startsWith("/cases/") && query !== "" ? `?${query}${hash}` : hash;
  return { request, file, rest };
}

const linkForm = /\b(href|src)="(\/[^"]*)"/g;

/** Writes the copy below `folder`. Throws what the system throws. */
export async function publishBoard(
  open: OpenBoard,
  folder: string,
  tell: (pages: number) => void = () => {},
): Promise<Published> {
  const host = [...open.site.hosts()][0];
  const pages = new Map<string, { readonly file: string; readonly body: string; readonly isPage: boolean }>();
  const missing = new Set<string>();
  const waiting: string[] = ["/", "/cases", "/lab", "/docs", ...textAssets.map((name) => `/${name}`)];
  const asked = new Set(waiting);
  for (let next = waiting.shift(); next !== undefined && pages.size < mostPages; next = waiting.shift()) {
    const target = targetOf(next);
    if (target === null) continue;
    let response = await open.app.request(`http://${host}${target.request}`, { headers: { host } });
    // Old words in an address lead to the newest.
    const location = response.headers.get("location");
    if (location !== null)
      response = await open.app.request(`http://${host}${location}`, { headers: { host } });
    if (response.status !== 200) {
      missing.add(target.request);
      continue;
    }
    const body = await response.text();
    const isPage = (response.headers.get("content-type") ?? "").startsWith("text/html");
    pages.set(target.request, { file: target.file, body, isPage });
    tell(pages.size);
    if (!isPage) continue;
    for (const [, , href] of body.matchAll(linkForm)) {
      const to = targetOf(href);
      if (to === null || asked.has(to.request)) continue;
      asked.add(to.request);
      waiting.push(to.request);
    }
  }
  const files = new Map(await keptLabFiles(await casesOf(open)));
  for (const { file, body, isPage } of pages.values())
    files.set(file, isPage ? relative(body, file, (request) => pages.get(request)?.file ?? null) : body);
  return writeCopy(folder, files);
}

/** Links of a page at `file` by the way from there; what the copy lacks leads to the board's front. */
function relative(body: string, file: string, fileOf: (request: string) => string | null): string {
  const up = "../".repeat(file.split("/").length - 1);
  const root = up === "" ? "./" : up;
  return body
    .replace(linkForm, (_all, name: string, href: string) => {
      const to = targetOf(href);
      const target = to === null ? null : fileOf(to.request);
      return target === null || to === null
        ? `${name}="${root}index.html"`
        : `${name}="${root}${target}${to.rest.replaceAll("&", "&amp;")}"`;
    })
    .replace('<html lang="en">', `<html lang="en" data-root="${root}">`);
}
