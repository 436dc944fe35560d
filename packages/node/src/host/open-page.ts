// Opens a page in the person's browser, where there is a display; never waits for it.

import { spawn } from "node:child_process";

/** The system's way to open an address; null where nothing would be seen. */
export function openerOf(
  platform: NodeJS.Platform,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly command: string; readonly arguments: (url: string) => string[] } | null {
  if (platform === "darwin") return { command: "open", arguments: (url) => [url] };
  // "start" takes its first quoted word for a window's title.
  if (platform === "win32") return { command: "cmd.exe", arguments: (url) => ["/c", "start", '""', url] };
  const hasDisplay = (environment.DISPLAY ?? "") !== "" || (environment.WAYLAND_DISPLAY ?? "") !== "";
  return hasDisplay ? { command: "xdg-open", arguments: (url) => [url] } : null;
}

/** False: there is no display, and nothing was opened. A browser that fails is the browser's affair. */
export function openPage(
  url: string,
  platform: NodeJS.Platform = process.platform,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const opener = openerOf(platform, environment);
  if (opener === null) return false;
  const child = spawn(opener.command, opener.arguments(url), { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
  return true;
}
