// The registry: every service of a machine, its place in the tree and its id.

import type { RegistrySnapshot } from "../platform/evidence/registry-dump.ts";
import type { IOService } from "./service.ts";

/** Registry ids of this shape appear in real logs; they start above the boot-time entries. */
const firstRegistryId = 0x100000a00;

/** Holds the tree by its root; services know their provider and clients. */
export class Registry {
  #nextId = firstRegistryId;
  #root: IOService | null = null;

  allocateId(): number {
    return this.#nextId++;
  }

  get root(): IOService {
    if (this.#root === null) throw new Error("the registry has no root yet");
    return this.#root;
  }

  setRoot(root: IOService): void {
    this.#root = root;
  }

  attach(service: IOService, provider: IOService): void {
    service.provider = provider;
    provider.clients.push(service);
  }

  detach(service: IOService): void {
    const clients = service.provider?.clients;
    const at = clients?.indexOf(service) ?? -1;
    if (at >= 0) clients?.splice(at, 1);
  }

  /** Every entry, parents before children, in order of attachment, as they are now. */
  entries(from: IOService = this.root): IOService[] {
    const found: IOService[] = [];
    collect(from, found);
    return found;
  }

  /** The first entry that `accept` likes. */
  find(accept: (service: IOService) => boolean): IOService | null {
    for (const entry of this.entries()) if (accept(entry)) return entry;
    return null;
  }

  /** Every entry of a class, by kernel or dext class name. */
  byClass(className: string): IOService[] {
    return [...this.entries()].filter(
      (entry) => entry.userClass === className || entry.classChain.includes(className),
    );
  }

  /** What `ioreg` would read, for the evidence writers. */
  snapshot(from: IOService = this.root): RegistrySnapshot {
    return {
      name: from.registryName,
      location: from.location,
      className: from.kernelClass,
      id: from.registryId,
      registered: from.isRegistered,
      matched: from.isMatched,
      active: !from.isInactive,
      busy: from.busyCount,
      busyMs: 0,
      retain: from.retainCount,
      properties: from.properties,
      children: from.clients.map((client) => this.snapshot(client)),
    };
  }
}

function collect(entry: IOService, found: IOService[]): void {
  found.push(entry);
  for (const client of entry.clients) collect(client, found);
}
