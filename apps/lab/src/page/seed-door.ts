// What the page and the script that searches for seeds promise each other.

import type { PageWorker } from "./kept-lab.ts";
import type { LabPage } from "./lab-page.ts";

export interface SeedHost {
  readonly page: LabPage;
  /** By file name: one of ours. */
  startWorker(name: string): PageWorker;
}

/** `count`: how many seeds are tried, from 1 on. */
export type SearchSeeds = (host: SeedHost, count: string) => void;
