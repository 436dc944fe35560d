// The board on loopback: opens its store, brings in what came with this version, listens, and closes in order.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { IncomingMessage, Server } from "node:http";
import type { Server as NetServer } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { Board } from "@drydock/board/board";
import type { BoardStore } from "@drydock/board/board-store";
import { gainCases, type ImportReport, importBoard } from "@drydock/board/exchange";
import { People } from "@drydock/board/people";
import { createHttpServer } from "@drydock/node/host/http-door";
import { type TlsFiles, tlsDoor } from "@drydock/node/host/tls-door";
import type { JobQueue } from "@drydock/node/jobs/job-queue";
import { openSqliteQueue } from "@drydock/node/jobs/sqlite-job-queue";
import { FolderLock } from "@drydock/node/store/folder-lock";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { buildApp } from "./app.ts";
import { BoardJobs } from "./board-jobs.ts";
import { CampaignDesk } from "./campaign-desk.ts";
import { CaseRunner } from "./case-runner.ts";
import { DocPages } from "./doc-pages.ts";
import { folderReader } from "./folders.ts";
import { loopbackHosts } from "./guard.ts";
import { LabDesk } from "./lab-desk.ts";
import { RenderedBodies } from "./markdown.ts";
import { PeopleDesk } from "./people-desk.ts";
import type { BoardSite } from "./route.ts";
import { hostSecrets } from "./secrets.ts";
import { buildOf, caseIdsIn, StillTrueRuns } from "./still-true-runs.ts";
import { ThreadTurns } from "./thread-turns.ts";

/** What the packer put beside the code in place of the repository (house/pack/stage-content.ts). */
const packedContent = join(import.meta.dirname, "../content");
/** The repository, or what stands for it. */
export const repositoryRoot = existsSync(packedContent)
  ? packedContent
  : join(import.meta.dirname, "../../..");
export const seedFolder = join(import.meta.dirname, "../seed");

export interface OpenBoard {
  readonly site: BoardSite;
  readonly app: Hono;
  readonly imported: ImportReport;
  close(): Promise<void>;
}

/** Where a board is kept. */
export interface BoardPlace {
  /** The folder of its file; null: in memory. */
  readonly home: string | null;
  /** A PostgreSQL server's database in the place of the file. */
  readonly database?: URL | undefined;
}

export interface BoardOptions extends BoardPlace {
  readonly version: string;
  /** Milliseconds UTC. Default: the system's clock. */
  readonly now?: () => number;
  readonly hosts?: () => ReadonlySet<string>;
  /** Of the address that browsers use. */
  readonly scheme?: "http" | "https";
  readonly onTrouble?: (error: unknown) => void;
  readonly isStatic?: boolean;
  /** A board for many: people sign in. Their browsers know it by this address, which has a name and no number. */
  readonly people?: (() => URL) | undefined;
  /** A proxy of ours on this machine says whom it asks for. */
  readonly hasProxy?: boolean;
  /** A queue of campaigns, as `drydock campaign` takes it. */
  readonly queue?: string | undefined;
  /** Runs cases, and what its runs have in common; default: this version's own, in a thread. */
  readonly cases?: { readonly runner: CaseRunner; readonly build: string };
  /** Posts that come with the project. Default: this version's. */
  readonly seed?: string;
}

export const databasePath = (home: string): string => join(home, "board.db");

/** Throws StoreTrouble. */
export async function storeAt({ home, database }: BoardPlace): Promise<BoardStore> {
  if (database === undefined) return SqliteBoardStore.open(home === null ? ":memory:" : databasePath(home));
  const { openPostgresBoard } = await import("@drydock/node/store/postgres-door");
  return await openPostgresBoard(database);
}

/** Its jobs: a file beside the board's, or pg-boss in the board's own database. Throws StoreTrouble. */
export async function jobsAt(home: string, database: URL | undefined): Promise<JobQueue> {
  if (database === undefined) return openSqliteQueue(join(home, "jobs.db"));
  const { doorTo } = await import("@drydock/node/store/postgres-door");
  const { openBossQueue } = await import("@drydock/node/jobs/boss-job-queue");
  return await openBossQueue(await doorTo(database, "drydock board jobs"));
}

/** Without listening: what tests, exports and published copies use. Throws StoreTrouble. */
export async function openBoard(options: BoardOptions): Promise<OpenBoard> {
  const store = await storeAt(options);
  const runner = options.cases?.runner ?? new CaseRunner();
  const evidence: BoardSite["evidence"] = new ThreadTurns(new URL("./evidence-thread.ts", import.meta.url), {
    longestMs: 20_000,
    mostWaiting: 16,
    memoryMb: 512,
    crowded: { code: "evidence-many", text: "Too many files wait to be read. Try again in a few seconds." },
  });
  try {
    const board = await Board.open(store, options.now ?? Date.now);
    const ids = caseIdsIn(repositoryRoot);
    const imported = await store.alone(async () => {
      const report = await importBoard(board, folderReader(options.seed ?? seedFolder), "seed");
      await gainCases(board, new Set(ids));
      return report;
    });
    let build = options.cases?.build;
    const hosts = options.hosts ?? (() => loopbackHosts(80));
    const desk = new LabDesk(hosts);
    const site: BoardSite = {
      desk,
      people:
        options.people === undefined
          ? null
          : new PeopleDesk(
              new People(store.accounts, hostSecrets, () => board.now()),
              options.people,
              () => board.now(),
              hostSecrets.hash,
              options.hasProxy === true,
            ),
      scheme: options.scheme ?? "http",
      board,
      docs: new DocPages(repositoryRoot),
      bodies: new RenderedBodies(),
      runner,
      evidence,
      stillTrue: new StillTrueRuns(board, runner, ids, options.version, () => {
        build ??= buildOf(repositoryRoot, options.version);
        return build;
      }),
      campaigns:
        options.queue === undefined
          ? null
          : new CampaignDesk(options.queue, () => board.now(), options.onTrouble ?? (() => {})),
      version: options.version,
      hosts,
      newKey: () => randomBytes(16).toString("base64url"),
      isStatic: options.isStatic ?? false,
      onTrouble: options.onTrouble ?? (() => {}),
    };
    return {
      site,
      app: buildApp(site),
      imported,
      close: async () => {
        await site.campaigns?.close();
        await desk.close();
        await runner.close();
        await evidence.close();
        await store.close();
      },
    };
  } catch (error) {
    await runner.close();
    await evidence.close();
    await store.close();
    throw error;
  }
}

export interface RunningBoard {
  readonly url: string;
  readonly port: number;
  readonly open: OpenBoard;
  /** Makes whoever opens it first the owner of a board for many that has none; null otherwise. */
  readonly ownerLink: string | null;
  close(): Promise<void>;
}

/** How a board for many is reached. */
export interface ManyOptions {
  /** `https://name` of the proxy before it; null: by its name on this machine. */
  readonly origin: URL | null;
  /** The address to listen on; beyond loopback only behind a proxy, or with a certificate. */
  readonly listen: string;
  /** A certificate and key of the board's own; left out: a proxy has them. */
  readonly tls?: TlsFiles | undefined;
}

/** A port that another program has, with its number. */
export class PortTaken extends Error {
  readonly port: number;

  constructor(port: number) {
    super(`port ${port} of this machine is taken; choose another one with --port, or 0 for any free one`);
    this.name = "PortTaken";
    this.port = port;
  }
}

/** Listens on loopback, unless a proxy stands before it. Throws FolderHeld, PortTaken, StoreTrouble. `port` 0: a free one. Servers of one database share it. */
export async function startBoard(
  options: Omit<BoardOptions, "home" | "hosts" | "people" | "scheme" | "hasProxy"> & {
    readonly home: string;
    readonly port: number;
    /** How often it looks for what the board has to do by itself, milliseconds. Default: board-jobs.ts. */
    readonly jobsEveryMs?: number;
    /** Left out: a board for one, on this machine. */
    readonly many?: ManyOptions | undefined;
  },
): Promise<RunningBoard> {
  const lock = options.database === undefined ? FolderLock.take(options.home, "board") : null;
  let hosts: ReadonlySet<string> = new Set();
  let open: OpenBoard | null = null;
  let server: Server | null = null;
  let door: NetServer | null = null;
  try {
    const { many } = options;
    let reached = new URL("http://localhost");
    open = await openBoard({
      ...options,
      hosts: () => hosts,
      ...(many === undefined
        ? {}
        : {
            people: () => reached,
            scheme: many.origin === null ? "http" : "https",
            hasProxy: many.origin !== null && many.tls === undefined,
          }),
    });
    const { app, site } = open;
    const tls = many?.tls;
    // What comes after an early answer is the door's affair (early-answer.ts): the listener would end it after half a second.
    server = createHttpServer(getRequestListener(app.fetch, { autoCleanupIncoming: false }));
    door =
      tls === undefined
        ? server
        : tlsDoor(server, tls, many?.origin?.hostname ?? "", () => site.board.now(), site.onTrouble);
    await listen(door, options.port, many?.listen ?? "127.0.0.1");
    const address = door.address();
    const port = typeof address === "object" && address !== null ? address.port : options.port;
    reached = many?.origin ?? new URL(`http://localhost:${port}`);
    // A board for many has one name: a cookie and a passkey of one name are nothing under another.
    hosts = many === undefined ? loopbackHosts(port) : new Set([reached.host]);
    const url = reached.origin;
    const { people } = site;
    const needsOwner = people !== null && (await people.people.store.owners()) === 0;
    const ownerLink = needsOwner ? `${url}/owner/${await people.people.ownerLink()}` : null;
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      site.desk.upgrade(request, socket, head),
    );
    lock?.tell(url);
    const jobs = new BoardJobs({
      board: site.board,
      stillTrue: site.stillTrue,
      open: () => jobsAt(options.home, options.database),
      onTrouble: site.onTrouble,
    });
    jobs.start(options.jobsEveryMs);
    const [held, listening, entrance] = [open, server, door];
    return {
      url,
      port,
      open,
      ownerLink,
      close: async () => {
        const jobsEnded = jobs.close();
        listening.closeAllConnections();
        // Behind TLS the inner server never listened: its own end is only told.
        await new Promise((resolve) => entrance.close(resolve));
        if (entrance !== listening) listening.emit("close");
        // A case that is being run is not waited for: it is a job again.
        await held.site.runner.close();
        await jobsEnded;
        await held.close();
        lock?.release();
      },
    };
  } catch (error) {
    door?.close();
    await open?.close();
    lock?.release();
    throw error;
  }
}

function listen(server: NetServer, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? new PortTaken(port) : error),
    );
    server.listen(port, address, () => resolve());
  });
}
