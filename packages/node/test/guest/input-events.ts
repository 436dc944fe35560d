// Linux input devices as bytes: evdev and joystick records of a 64-bit kernel.

/** Linux's struct input_event on 64-bit machines: 16 bytes of time, type, code, value. */
const inputEventBytes = 24;
/** The joystick interface's: time in ms, value, type, number. */
const joystickEventBytes = 8;

/** Event types of evdev. */
export const EventType = { synchronise: 0, key: 1, relative: 2, absolute: 3, led: 0x11 } as const;

export interface InputEvent {
  readonly type: number;
  readonly code: number;
  readonly value: number;
}

/** Whole records of `bytes`; a cut last one is left out. */
export function decodeInputEvents(bytes: Buffer): InputEvent[] {
  const events: InputEvent[] = [];
  for (let at = 0; at + inputEventBytes <= bytes.length; at += inputEventBytes) {
    const [type, code] = [bytes.readUInt16LE(at + 16), bytes.readUInt16LE(at + 18)];
    events.push({ type, code, value: bytes.readInt32LE(at + 20) });
  }
  return events;
}

/** A record to write to an evdev node; the kernel sets the time. */
export function encodeInputEvent(event: InputEvent): Buffer {
  const bytes = Buffer.alloc(inputEventBytes);
  bytes.writeUInt16LE(event.type, 16);
  bytes.writeUInt16LE(event.code, 18);
  bytes.writeInt32LE(event.value, 20);
  return bytes;
}

export interface JoystickEvent {
  readonly kind: "button" | "axis";
  readonly number: number;
  readonly value: number;
  /** Sent at open: the state so far. */
  readonly isInitial: boolean;
}

export function decodeJoystickEvents(bytes: Buffer): JoystickEvent[] {
  const events: JoystickEvent[] = [];
  for (let at = 0; at + joystickEventBytes <= bytes.length; at += joystickEventBytes) {
    const type = bytes[at + 6];
    events.push({
      kind: (type & 0x7f) === 1 ? "button" : "axis",
      number: bytes[at + 7],
      value: bytes.readInt16LE(at + 4),
      isInitial: (type & 0x80) !== 0,
    });
  }
  return events;
}
