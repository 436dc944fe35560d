// P19: the flush that never came, and the end of the disk that cannot be written. What of it needs no host adapter.

import { hex } from "@drydock/core/base/text";
import { type BlockPort, BlockStatus, BlockSubmit } from "@drydock/core/ports/block";
import { storageDurabilityBench } from "@drydock/core/trials/durability-benches";
import type { DurabilityBench } from "@drydock/core/trials/durability-prover";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { shortCountController } from "./bad-driver.ts";
import { type Controller, type OpcodeLog, synchronizeOpcodes } from "./controller.ts";
import { exactController } from "./good-driver.ts";

/** 66.0 TB in blocks of 512 bytes: the post's array. */
export const arrayBlocks = 128_906_250_000;

/** One request at a time on a port, and what became of it. */
export class RawDisk {
  readonly port: BlockPort;
  readonly #bench: DurabilityBench;
  #status: BlockStatus | null = null;

  constructor(port: BlockPort, bench: DurabilityBench) {
    this.port = port;
    this.#bench = bench;
    port.connect({
      completed: (_slot, status) => {
        this.#status = status;
      },
      detached: () => {},
    });
  }

  write(block: number, bytes: Uint8Array): Promise<BlockStatus | null> {
    return this.#result(this.port.write(0, block, bytes.length / 512, bytes, 0, false));
  }

  flush(): Promise<BlockStatus | null> {
    return this.#result(this.port.flush(0));
  }

  async read(block: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(512);
    const status = await this.#result(this.port.read(0, block, 1, bytes, 0));
    if (status !== BlockStatus.ok) throw new Error(`reading block ${block} ended with status ${status}`);
    return bytes;
  }

  async #result(submitted: BlockSubmit): Promise<BlockStatus | null> {
    if (submitted !== BlockSubmit.accepted) throw new Error(`the request was refused with ${submitted}`);
    this.#status = null;
    await this.#bench.run(() => this.#status !== null);
    return this.#status;
  }
}

/** /dev/diskN beside /dev/rdiskN: what was written or read once is answered by the host's own pages. */
export class BufferedDisk {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #raw: RawDisk;

  constructor(raw: RawDisk) {
    this.#raw = raw;
  }

  async write(block: number, bytes: Uint8Array): Promise<BlockStatus | null> {
    this.#pages.set(block, bytes.slice());
    return await this.#raw.write(block, bytes);
  }

  async read(block: number): Promise<Uint8Array> {
    let page = this.#pages.get(block);
    if (page === undefined) {
      page = await this.#raw.read(block);
      this.#pages.set(block, page);
    }
    return page;
  }
}

export interface ArrayRun {
  readonly bench: DurabilityBench;
  readonly raw: RawDisk;
  readonly opcodes: OpcodeLog;
}

/** Brings the disk up behind `controller`. */
export async function bringUpArray(
  controller: Controller,
  options: CaseOptions,
  blockCount = 131_072,
  trace = false,
): Promise<ArrayRun> {
  const opcodes: OpcodeLog = new Map();
  const bench = await storageDurabilityBench(options.seed, options.turn, {
    units: [{ blockCount }],
    trace,
    target: (disk) => controller(disk, opcodes),
  });
  return { bench, raw: new RawDisk(bench.port, bench), opcodes };
}

export const synchronizeCount = (opcodes: OpcodeLog): number =>
  synchronizeOpcodes.reduce((sum, opcode) => sum + (opcodes.get(opcode) ?? 0), 0);

/** 64 blocks are written and flushed, then the power is cut: how many are left. */
export async function writeFlushCut(run: ArrayRun): Promise<{ flush: BlockStatus | null; kept: number }> {
  const { bench, raw } = run;
  for (let block = 0; block < 64; block++) await raw.write(block * 8, new Uint8Array(512).fill(0xa5));
  const flush = await raw.flush();
  const after = new RawDisk(await bench.cutPower(), bench);
  let kept = 0;
  for (let block = 0; block < 64; block++) if ((await after.read(block * 8))[511] === 0xa5) kept++;
  return { flush, kept };
}

/** The log that the post's author was asked for: what reached the array, in the order of first sight. */
function opcodeText(opcodes: OpcodeLog): string {
  return [...opcodes].map(([opcode, count]) => `opcode 0x${hex(opcode, 2)}: ${count} times\n`).join("");
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const controller = side === "bad" ? shortCountController : exactController;
  const array = await bringUpArray(controller, options, undefined, true);
  const { flush, kept } = await writeFlushCut(array);
  const sent = synchronizeCount(array.opcodes);
  const story = array.bench.ledger();
  return {
    succeeded: flush === BlockStatus.ok && kept === 64,
    result: `the flush ended with status ${flush}, SYNCHRONIZE CACHE was sent ${sent} times, ${kept} of 64 blocks outlived the power cut; ${story?.lines.join("; ")}`,
    trace: null,
    log: [],
    ...(array.bench.timeline === undefined ? {} : { timeline: array.bench.timeline }),
    ...(story === null ? {} : { ledger: story }),
    evidence: [{ name: "opcodes.txt", text: opcodeText(array.opcodes) }],
  };
}

export const scsiDiskutilCase: DriverCase = {
  id: "P19",
  title: "a SCSI controller dext fails to handle low-level I/O from diskutil",
  symptom: "SYNCHRONIZE CACHE is never dispatched, and what dd wrote is gone after a restart.",
  cause:
    "MODE SENSE comes back one byte short, so the class driver deems the write cache off and answers flushes by itself.",
  describeRequests: [],
  run,
};
