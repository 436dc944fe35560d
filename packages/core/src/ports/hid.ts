// Input as programs see it: keys, pointers and game controllers of one HID event service, and its LEDs.

/** A key or button of the keyboard or another page went down or up. */
export interface HidKeyEvent {
  readonly kind: "key";
  /** Nanoseconds of the machine, when the report arrived. */
  readonly timeNs: number;
  readonly usagePage: number;
  readonly usage: number;
  readonly isDown: boolean;
}

/** Counts moved since the last one; y grows downwards. Bit 0 of `buttons` is button 1. */
export interface HidRelativePointerEvent {
  readonly kind: "relative-pointer";
  readonly timeNs: number;
  readonly dx: number;
  readonly dy: number;
  readonly buttons: number;
}

/** Where the pointer is, as fractions (0 to 1) of the device's range. */
export interface HidAbsolutePointerEvent {
  readonly kind: "absolute-pointer";
  readonly timeNs: number;
  readonly x: number;
  readonly y: number;
  readonly buttons: number;
}

/** Detents turned. */
export interface HidScrollEvent {
  readonly kind: "scroll";
  readonly timeNs: number;
  readonly dx: number;
  readonly dy: number;
  readonly dz: number;
}

/** The whole state of a game controller: directions and buttons 0 to 1, sticks -1 to 1. */
export interface HidGameControllerEvent {
  readonly kind: "game-controller";
  readonly timeNs: number;
  readonly dpad: {
    readonly up: number;
    readonly down: number;
    readonly left: number;
    readonly right: number;
  };
  readonly face: { readonly x: number; readonly y: number; readonly a: number; readonly b: number };
  readonly shoulder: { readonly l1: number; readonly r1: number; readonly l2: number; readonly r2: number };
  readonly joystick: { readonly x: number; readonly y: number; readonly z: number; readonly rz: number };
  readonly thumbstickLeft: boolean;
  readonly thumbstickRight: boolean;
}

export type HidEvent =
  | HidKeyEvent
  | HidRelativePointerEvent
  | HidAbsolutePointerEvent
  | HidScrollEvent
  | HidGameControllerEvent;

/** A program that listens. */
export interface HidInputClient {
  /** In the order the device sent them. */
  event(event: HidEvent): void;
  /** The device has left; told once, nothing follows. */
  gone(): void;
}

/** One source of input, as an outlet or a program finds it. */
export interface HidInputPort {
  /** What the device calls itself. */
  readonly name: string;
  /** Null, or the reason in words: gone already, or open already. */
  open(client: HidInputClient): string | null;
  close(): void;
  /** `usage` of the LED page. Asynchronous; what becomes of it stands in `lastFailure`. Later calls come later. */
  setLed(usage: number, isOn: boolean): void;
}
