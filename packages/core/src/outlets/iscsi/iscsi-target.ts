// An iSCSI target: offers a SCSI target's units to initiators on any number of connections. RFC 7143.

import { millisecond, second } from "../../base/units.ts";
import { iscsiTransportId } from "../../codec/scsi/reservations.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import type { ScsiTargetClient, ScsiTargetPort, ScsiTask } from "../../ports/scsi-target.ts";
import { IscsiMemory } from "./iscsi-buffers.ts";
import { IscsiConnection } from "./iscsi-connection.ts";
import type { IscsiNexus, IscsiTargetOptions, IscsiTargetSide } from "./iscsi-nexus.ts";
import type { IscsiTask } from "./iscsi-task.ts";

const connectionMaximum = 4096;
/** Of these, so many may not have logged in yet: beyond that the oldest of them is let go. */
const silentMaximum = 1024;
/** Who has not read its answers for so long is let go when others wait for its memory. */
const stuckNs = 1 * second;
/** How often that is looked at while somebody waits, and how many go each time: what they leave is work for others. */
const reliefNs = 50 * millisecond;
const reliefMaximum = 4;
/** Initiator ports remembered, so that their reservations and attentions wait for them. */
const initiatorMaximum = 4096;

interface InitiatorPort {
  readonly number: number;
  readonly key: string;
  readonly name: string;
  readonly isid: string;
  connection: IscsiNexus | null;
}

export class IscsiTarget implements ScsiTargetClient, IscsiTargetSide {
  readonly name: string;
  readonly options: IscsiTargetOptions;
  readonly port: ScsiTargetPort;
  /** What SendTargets answers, "host:port", on connections of which nobody knows where they came to. */
  address = "127.0.0.1:3260";
  readonly #onEvent: (text: string) => void;
  readonly #connections = new Set<IscsiNexus>();
  readonly #initiators = new Map<string, InitiatorPort>();
  readonly #byNumber: (InitiatorPort | null)[] = [];
  readonly #tasks: (IscsiTask | null)[] = [];
  readonly #freeTags: number[] = [];
  #lastSession = 0;
  /** Not logged in yet, in the order they came. */
  readonly #silent = new Set<IscsiNexus>();
  readonly spareTasks: IscsiTask[] = [];
  readonly memory: IscsiMemory;
  #isRelieving = false;

  constructor(options: IscsiTargetOptions) {
    this.options = options;
    this.memory = new IscsiMemory(options.clock, () => this.#relieve());
    this.name = options.name;
    this.port = options.port;
    this.#onEvent = options.onEvent ?? (() => {});
    this.port.connect(this);
  }

  /** Serves one connection until it closes. `cameTo` is the address that the initiator reached, where that is known. */
  accept(stream: ByteStream, peer = "an initiator", cameTo: string | null = null): void {
    // Places are for sessions: who has not logged in makes room for who comes now.
    if (this.#connections.size >= connectionMaximum || this.#silent.size >= silentMaximum) {
      const [oldest] = this.#silent;
      oldest?.end("it had not logged in, and a newer one came");
    }
    if (this.#connections.size >= connectionMaximum) {
      this.#onEvent(`${peer} was turned away: ${connectionMaximum} connections are open`);
      stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
      stream.close();
      return;
    }
    const connection = new IscsiConnection(stream, this, (text) => this.#onEvent(`${peer} ${text}`), cameTo);
    this.#connections.add(connection);
    this.#silent.add(connection);
  }

  /** From a connection: it has, and is no longer one of those that may be let go for others. */
  loggedIn(connection: IscsiNexus): void {
    this.#silent.delete(connection);
  }

  /** Somebody was refused memory: whoever sits on it, and does not read what it asked for, is let go. */
  #relieve(): void {
    if (this.#isRelieving) return;
    this.#isRelieving = true;
    this.options.clock.after(reliefNs, this.#lookForStuck, undefined);
  }

  readonly #lookForStuck = (): void => {
    this.#isRelieving = false;
    if (!this.memory.wasShort) return;
    this.memory.wasShort = false;
    const longAgoNs = this.options.clock.nowNs() - stuckNs;
    let isAnyLeft = false;
    let left = reliefMaximum;
    for (const connection of this.#connections)
      if (connection.fullSinceNs >= 0) {
        if (connection.fullSinceNs <= longAgoNs && left-- > 0)
          connection.end("it does not read its answers, and others wait");
        else isAnyLeft = true;
      }
    if (!isAnyLeft) return;
    this.memory.wasShort = true;
    this.#relieve();
  };

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Ends every connection; who is logged in is told. */
  close(): void {
    for (const connection of [...this.#connections]) connection.end("the target stops");
  }

  clearOthers(than: IscsiNexus, lun: number): void {
    for (const connection of this.#connections)
      if (connection !== than && connection.clearUnit(lun))
        this.port.commandsCleared(lun, connection.initiator);
  }

  /** After a cold reset of the target. */
  dropAll(reason: string): void {
    for (const connection of [...this.#connections]) connection.end(reason);
  }

  finished(task: ScsiTask): void {
    const owner = this.#tasks[task.tag];
    owner?.connection?.taskFinished(owner);
  }

  transportIdOf(initiator: number): Uint8Array {
    const port = this.#byNumber[initiator];
    return port === null || port === undefined
      ? iscsiTransportId("", null)
      : iscsiTransportId(port.name, port.isid);
  }

  // For connections

  /** A tag by which the SCSI target's task finds its way back. */
  register(task: IscsiTask): void {
    const tag = this.#freeTags.pop() ?? this.#tasks.length;
    this.#tasks[tag] = task;
    task.scsi.tag = tag;
  }

  unregister(task: IscsiTask): void {
    this.#tasks[task.scsi.tag] = null;
    this.#freeTags.push(task.scsi.tag);
  }

  /**
   * The number of an initiator port (name and ISID). A session that it has already is ended first: it was reinstated
   * (§6.3.5). Null: there is no room for another.
   */
  login(connection: IscsiNexus, name: string, isid: string): number | null {
    const key = `${name},${isid}`;
    let port = this.#initiators.get(key);
    if (port === undefined) {
      const number = this.#freeNumber();
      if (number < 0) return null;
      port = { number, key, name, isid, connection: null };
      this.#initiators.set(key, port);
      this.#byNumber[number] = port;
    }
    port.connection?.end("its session was opened anew");
    port.connection = connection;
    return port.number;
  }

  #freeNumber(): number {
    if (this.#byNumber.length < initiatorMaximum) return this.#byNumber.length;
    for (const port of this.#initiators.values())
      if (port.connection === null) {
        this.#initiators.delete(port.key);
        return port.number;
      }
    return -1;
  }

  newSession(): number {
    this.#lastSession = (this.#lastSession % 0xffff) + 1;
    return this.#lastSession;
  }

  ended(connection: IscsiNexus, initiator: number): void {
    this.#connections.delete(connection);
    this.#silent.delete(connection);
    const port = this.#byNumber[initiator];
    if (port === null || port === undefined || port.connection !== connection) return;
    port.connection = null;
    this.port.nexusLost(initiator);
  }
}
