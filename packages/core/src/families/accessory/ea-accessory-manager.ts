// EAAccessoryManager, EAAccessory and EASession: what an app sees of accessories, and why a session is not given.

import type { Iap2Identification } from "../../codec/iap2/control-message.ts";
import type { Machine } from "../../runtime/machine.ts";
import type { Process } from "../../runtime/process.ts";
import type { AccessoryOwner, AccessoryWire } from "./accessory-wire.ts";
import { EAInputStream, EAOutputStream } from "./ea-streams.ts";
import type { RunLoop } from "./run-loop.ts";

/** Bytes of one grant of space (accessory.md §4: the bench's default). */
const defaultSpaceBytes = 128;
/** So much waits for an app that does not read, then its session ends: an accessory may send without end. */
const mostUnreadBytes = 1 << 20;

/** Why `EASession` gave nil; the real framework does not tell. */
export type SessionRefusal =
  | "not declared in UISupportedExternalAccessoryProtocols"
  | "not offered by the accessory"
  | "a session with this protocol is open already"
  | "the accessory is not connected"
  | "the accessory's own interface for it is not there";

/** As the framework names them. Of a connection that is over it keeps what it knew. */
export class EAAccessory {
  readonly connectionID: number;
  readonly name: string;
  readonly manufacturer: string;
  readonly modelNumber: string;
  readonly serialNumber: string;
  readonly firmwareRevision: string;
  readonly hardwareRevision: string;
  readonly protocolStrings: readonly string[];
  isConnected = true;

  constructor(connectionID: number, data: Iap2Identification) {
    this.connectionID = connectionID;
    this.name = data.name;
    this.manufacturer = data.manufacturer;
    this.modelNumber = data.modelNumber;
    this.serialNumber = data.serialNumber;
    this.firmwareRevision = data.firmwareRevision;
    this.hardwareRevision = data.hardwareRevision;
    this.protocolStrings = data.protocols.map(({ name }) => name);
  }
}

/** One stream pair. Ends with `close`, or when the accessory leaves. */
export class EASession {
  readonly accessory: EAAccessory;
  readonly protocolString: string;
  readonly inputStream: EAInputStream;
  readonly outputStream: EAOutputStream;
  readonly #onClose: () => void;

  constructor(
    accessory: EAAccessory,
    protocolString: string,
    streams: { readonly input: EAInputStream; readonly output: EAOutputStream },
    onClose: () => void,
  ) {
    this.accessory = accessory;
    this.protocolString = protocolString;
    this.inputStream = streams.input;
    this.outputStream = streams.output;
    this.#onClose = onClose;
  }

  /** What letting go of the last reference does: both streams are over. */
  close(): void {
    this.inputStream.close();
    this.outputStream.close();
    this.#onClose();
  }
}

export type AccessoryNotification = "EAAccessoryDidConnect" | "EAAccessoryDidDisconnect";

/** An app's shared manager. */
export class EAAccessoryManager {
  readonly #system: AccessorySystem;
  readonly #declared: readonly string[];
  readonly #runLoop: RunLoop;
  #observer: ((name: AccessoryNotification, accessory: EAAccessory) => void) | null = null;
  /** Sessions that were asked for and not given, with the reason that the framework keeps to itself. */
  readonly refusals: { readonly protocol: string; readonly reason: SessionRefusal }[] = [];
  readonly #given: EASession[] = [];
  /** Notifications while the app is suspended; null: it runs. */
  #held: { readonly name: AccessoryNotification; readonly accessory: EAAccessory }[] | null = null;

  constructor(system: AccessorySystem, declared: readonly string[], runLoop: RunLoop) {
    this.#system = system;
    this.#declared = declared;
    this.#runLoop = runLoop;
  }

  get connectedAccessories(): readonly EAAccessory[] {
    return this.#system.accessories;
  }

  /** Writes of this app to streams that had ended: a careful app has none. */
  get writesAfterEnd(): number {
    return this.#given.reduce((sum, { outputStream }) => sum + outputStream.writesAfterEnd, 0);
  }

  /** Without it no notification comes. */
  registerForLocalNotifications(
    observer: (name: AccessoryNotification, accessory: EAAccessory) => void,
  ): void {
    this.#observer = observer;
  }

  unregisterForLocalNotifications(): void {
    this.#observer = null;
  }

  /** `EASession(accessory:forProtocol:)`: null when it is refused. Names are compared letter by letter. */
  openSession(accessory: EAAccessory, protocol: string): EASession | null {
    const session = this.#declared.includes(protocol)
      ? this.#system.openSession(accessory, protocol, this.#runLoop.process)
      : "not declared in UISupportedExternalAccessoryProtocols";
    if (typeof session !== "string") {
      this.#given.push(session);
      return session;
    }
    this.refusals.push({ protocol, reason: session });
    return null;
  }

  /** The app is suspended: notifications wait, and are told together when it goes on. */
  suspend(): void {
    this.#held ??= [];
  }

  /**
   * The app goes on. Of an accessory that came and went meanwhile nothing is told, nor of one that went and is there again
   * as another connection but that it went: who goes on looks at `connectedAccessories` (accessory.md §3).
   */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const { accessory, name } of held) {
      const isBoth = held.filter((other) => other.accessory === accessory).length > 1;
      if (!isBoth) this.notify(name, accessory);
    }
  }

  /** The system's. */
  notify(name: AccessoryNotification, accessory: EAAccessory): void {
    if (this.#held === null) this.#runLoop.perform(() => this.#observer?.(name, accessory));
    else this.#held.push({ name, accessory });
  }
}

interface OpenSession {
  readonly app: Process;
  readonly wire: AccessoryWire;
  readonly accessory: EAAccessory;
  readonly protocol: string;
  readonly input: EAInputStream;
  readonly output: EAOutputStream;
}

/** The accessories of one machine. */
export class AccessorySystem implements AccessoryOwner {
  readonly accessories: EAAccessory[] = [];
  readonly #spaceBytes: number;
  readonly #managers: EAAccessoryManager[] = [];
  readonly #wires = new Map<EAAccessory, { transport: AccessoryWire; identification: Iap2Identification }>();
  readonly #sessions = new Map<number, OpenSession>();
  readonly #random: { next32(): number };
  readonly #log: (text: string) => void;
  /** Wires of single protocols, with the protocol. */
  readonly #native = new Map<AccessoryWire, string>();
  #nextConnection = 1;
  #lastSession = 0;

  /** `spaceBytes`: one grant of space of an output stream. */
  constructor(machine: Machine, spaceBytes = defaultSpaceBytes) {
    this.#spaceBytes = spaceBytes;
    this.#random = machine.random.fork("accessories");
    this.#log = (text) => machine.log.other({ process: "accessoryd", pid: 0, text });
  }

  /** `declared`: the app's UISupportedExternalAccessoryProtocols. Notifications come on `runLoop`. */
  sharedManager(declared: readonly string[], runLoop: RunLoop): EAAccessoryManager {
    const manager = new EAAccessoryManager(this, declared, runLoop);
    this.#managers.push(manager);
    return manager;
  }

  openSession(accessory: EAAccessory, protocol: string, app: Process): EASession | SessionRefusal {
    for (const [id, session] of this.#sessions) if (!session.app.isAlive) this.#stop(id);
    const wire = this.#wires.get(accessory);
    if (wire === undefined) return "the accessory is not connected";
    const offered = wire.identification.protocols.find(({ name }) => name === protocol);
    if (offered === undefined) return "not offered by the accessory";
    for (const other of this.#sessions.values())
      if (other.accessory === accessory && other.protocol === protocol)
        return "a session with this protocol is open already";
    const transport =
      offered.nativeTransport === undefined ? wire.transport : this.#own(wire.transport, protocol);
    if (transport === null) return "the accessory's own interface for it is not there";
    const id = this.#newSession();
    const input = new EAInputStream();
    const output = new EAOutputStream(this.#spaceBytes, (bytes) => transport.sendData(id, bytes));
    this.#sessions.set(id, { app, wire: transport, accessory, protocol, input, output });
    transport.startSession(offered.id, id);
    return new EASession(accessory, protocol, { input, output }, () => this.#stop(id));
  }

  /** A wire of this accessory for that protocol alone. */
  #own(of: AccessoryWire, protocol: string): AccessoryWire | null {
    for (const [wire, name] of this.#native) if (name === protocol && wire.place === of.place) return wire;
    return null;
  }

  /** Numbers go round; 0 and those in use are left out. */
  #newSession(): number {
    do this.#lastSession = (this.#lastSession % 0xffff) + 1;
    while (this.#sessions.has(this.#lastSession));
    return this.#lastSession;
  }

  #stop(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    if (this.#wires.has(session.accessory)) session.wire.stopSession(id);
  }

  offers(wire: AccessoryWire, protocol: string | null): void {
    if (protocol !== null) {
      this.#native.set(wire, protocol);
      return;
    }
    this.#native.delete(wire);
    for (const [id, session] of this.#sessions) if (session.wire === wire) this.refused(id);
  }

  /** The app sees its streams end; why is not told. */
  refused(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    session.input.end();
    session.output.end();
  }

  identified(transport: AccessoryWire, identification: Iap2Identification): void {
    const accessory = new EAAccessory(this.#nextConnection++, identification);
    this.#wires.set(accessory, { transport, identification });
    this.accessories.push(accessory);
    for (const manager of this.#managers) manager.notify("EAAccessoryDidConnect", accessory);
  }

  received(session: number, bytes: Uint8Array): void {
    const found = this.#sessions.get(session);
    // An app that has ended reads no more: the accessory is told.
    if (found?.app.isAlive === false) this.#stop(session);
    else if (found !== undefined && found.input.unreadBytes + bytes.length > mostUnreadBytes) {
      // The link is one for all sessions: it does not wait for an app that reads nothing (what the real one does is unknown).
      this.#log(
        `${found.app.name} has ${found.input.unreadBytes} unread bytes of ${found.protocol}: its session ends`,
      );
      found.wire.stopSession(session);
      this.refused(session);
    } else found?.input.deliver(bytes.slice());
  }

  sent(session: number, count: number): void {
    this.#sessions.get(session)?.output.drained(count);
  }

  gone(transport: AccessoryWire): void {
    const found = [...this.#wires].find(([, wire]) => wire.transport === transport);
    if (found === undefined) return;
    const [accessory] = found;
    accessory.isConnected = false;
    this.#wires.delete(accessory);
    this.accessories.splice(this.accessories.indexOf(accessory), 1);
    const endStreams = (): void => {
      for (const [id, session] of this.#sessions) {
        if (session.accessory !== accessory) continue;
        this.#sessions.delete(id);
        session.input.end();
        session.output.end();
      }
    };
    const notify = (): void => {
      for (const manager of this.#managers) manager.notify("EAAccessoryDidDisconnect", accessory);
    };
    // Streams end before or after the notification (accessory.md §2): an app must stand both.
    const order = (this.#random.next32() & 1) === 0 ? [endStreams, notify] : [notify, endStreams];
    for (const step of order) step();
  }
}
