// What the page and the script of its later screens promise each other.

import type { PageWorker } from "./kept-lab.ts";
import type { LabPage } from "./lab-page.ts";
import type { DrawScreen } from "./later-screen.ts";
import type { LoadTerminal } from "./terminal-door.ts";

export interface ScreenHost {
  readonly page: LabPage;
  readonly loadTerminal: LoadTerminal;
  /** By file name: one of ours. */
  startWorker(name: string): PageWorker;
}

/** Called once, when the script has come. */
export type OpenScreens = (host: ScreenHost) => DrawScreen;
