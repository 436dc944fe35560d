// What faces of web APIs are made of: events, handlers, errors and global names, without a DOM library.

/** Node and browsers both have these classes; core has no DOM library. */
interface FaceHost {
  readonly EventTarget: new () => FaceTarget;
  readonly Event: new (type: string, init?: { readonly bubbles?: boolean }) => FaceEvent;
  readonly DOMException: new (message: string, name: string) => Error;
}

export interface FaceEvent {
  readonly type: string;
}

/** A function, or an object with `handleEvent`. */
export type FaceListener<E extends FaceEvent> = ((event: E) => void) | { handleEvent(event: E): void };

/** The part of EventTarget that programs use. */
export interface FaceTarget {
  // biome-ignore lint/suspicious/noExplicitAny: each face narrows the event by its own listeners
  addEventListener(type: string, listener: FaceListener<any> | null, options?: unknown): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  removeEventListener(type: string, listener: FaceListener<any> | null, options?: unknown): void;
  dispatchEvent(event: FaceEvent): boolean;
}

const host = globalThis as unknown as FaceHost;
export const FaceEventTarget = host.EventTarget;
export const FaceEventBase = host.Event;

/** A DOMException of that name. */
export function faceError(name: string, message: string): Error {
  const { DOMException } = globalThis as unknown as FaceHost;
  return new DOMException(message, name);
}

/** One `on...` attribute: HTML's event handler, which keeps its place among the listeners while it is replaced. */
export class EventHandler<E extends FaceEvent> {
  readonly #target: FaceTarget;
  readonly #type: string;
  #handler: ((event: E) => void) | null = null;
  readonly #listener = (event: E): void => {
    this.#handler?.call(this.#target, event);
  };

  constructor(target: FaceTarget, type: string) {
    this.#target = target;
    this.#type = type;
  }

  get value(): ((event: E) => void) | null {
    return this.#handler;
  }

  /** Anything but a function takes the handler away, as Web IDL's [LegacyTreatNonObjectAsNull] does. */
  set value(handler: ((event: E) => void) | null) {
    const next = typeof handler === "function" ? handler : null;
    if (this.#handler === null && next !== null) this.#target.addEventListener(this.#type, this.#listener);
    if (this.#handler !== null && next === null) this.#target.removeEventListener(this.#type, this.#listener);
    this.#handler = next;
  }
}

/**
 * Members of `cls` as Web IDL has them: `names`, which the constructor sets once, are attributes of the prototype and nothing
 * of the object's own; the tag says the interface's name. The class writes `declare readonly` before them, which makes no field.
 */
export function webIdlMembers(cls: AnyClass, tag: string, names: readonly string[]): void {
  const { prototype } = cls as { prototype: object };
  Object.defineProperty(prototype, Symbol.toStringTag, { value: tag, configurable: true });
  for (const name of names) {
    const values = new WeakMap<object, unknown>();
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: object) {
        return values.get(this);
      },
      set(this: object, value: unknown) {
        if (!values.has(this)) values.set(this, value);
      },
    });
  }
}

type AnyClass = abstract new (...values: never[]) => object;

/** `cls` under the name of the standard: `instanceof` works, and `new` does what `construct` says. */
export function named<T extends AnyClass>(
  name: string,
  cls: T,
  construct: (...values: never[]) => object,
): T {
  const face: T = new Proxy(cls, {
    construct: (_target, values) => construct(...(values as never[])),
    get: (target, key) => (key === "name" ? name : Reflect.get(target, key, target)),
  });
  // `device.constructor` is what the page knows as USBDevice.
  Object.defineProperty(cls.prototype, "constructor", { value: face, configurable: true, writable: true });
  return face;
}

/** As Web IDL's interfaces without a constructor. */
export function illegal(name: string): () => never {
  return () => {
    throw new TypeError(`Failed to construct '${name}': Illegal constructor`);
  };
}

/** Names and values into `target`, and `face` as a member of its `navigator`. Answers how to take all of it away again. */
export function installFace(
  target: object,
  globals: Readonly<Record<string, unknown>>,
  member: string,
  face: unknown,
): () => void {
  const undo = Object.entries(globals).map(([name, value]) => define(target, name, value));
  const navigator: unknown = Reflect.get(target, "navigator");
  if (typeof navigator === "object" && navigator !== null) undo.push(define(navigator, member, face));
  else undo.push(define(target, "navigator", { [member]: face }));
  return () => {
    for (const step of undo.reverse()) step();
  };
}

function define(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  };
}
