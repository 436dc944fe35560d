// Usage pages and usages that Drydock's devices, drivers and dumps name. HID Usage Tables, version 1.4.

/** Page and usage in one 32-bit number. */
export function usage(page: number, id: number): number {
  return page * 65_536 + id;
}

export function pageOf(extended: number): number {
  return Math.floor(extended / 65_536);
}

export function idOf(extended: number): number {
  return extended % 65_536;
}

/** Chapter 3. */
export const UsagePage = {
  genericDesktop: 0x01,
  simulation: 0x02,
  keyboard: 0x07,
  led: 0x08,
  button: 0x09,
  consumer: 0x0c,
  digitizer: 0x0d,
  vendor: 0xff00,
} as const;

/** Chapter 4, Generic Desktop. */
export const Desktop = {
  pointer: 0x01,
  mouse: 0x02,
  joystick: 0x04,
  gamePad: 0x05,
  keyboard: 0x06,
  keypad: 0x07,
  x: 0x30,
  y: 0x31,
  z: 0x32,
  rx: 0x33,
  ry: 0x34,
  rz: 0x35,
  wheel: 0x38,
  hatSwitch: 0x39,
} as const;

/** Chapter 10, Keyboard/Keypad: the ones that code here speaks of. */
export const Key = {
  errorRollOver: 0x01,
  postFail: 0x02,
  errorUndefined: 0x03,
  a: 0x04,
  z: 0x1d,
  one: 0x1e,
  zero: 0x27,
  enter: 0x28,
  escape: 0x29,
  space: 0x2c,
  capsLock: 0x39,
  leftControl: 0xe0,
  leftShift: 0xe1,
  rightGui: 0xe7,
} as const;

/** Chapter 11, LED. */
export const Led = { numLock: 1, capsLock: 2, scrollLock: 3, compose: 4, kana: 5 } as const;

const pageNames: Readonly<Record<number, string>> = {
  [UsagePage.genericDesktop]: "Generic Desktop",
  [UsagePage.simulation]: "Simulation",
  [UsagePage.keyboard]: "Keyboard",
  [UsagePage.led]: "LED",
  [UsagePage.button]: "Button",
  [UsagePage.consumer]: "Consumer",
  [UsagePage.digitizer]: "Digitizer",
};

const desktopNames: Readonly<Record<number, string>> = {
  [Desktop.pointer]: "Pointer",
  [Desktop.mouse]: "Mouse",
  [Desktop.joystick]: "Joystick",
  [Desktop.gamePad]: "Game Pad",
  [Desktop.keyboard]: "Keyboard",
  [Desktop.keypad]: "Keypad",
  [Desktop.x]: "X",
  [Desktop.y]: "Y",
  [Desktop.z]: "Z",
  [Desktop.rx]: "Rx",
  [Desktop.ry]: "Ry",
  [Desktop.rz]: "Rz",
  [Desktop.wheel]: "Wheel",
  [Desktop.hatSwitch]: "Hat switch",
};

export function pageName(page: number): string {
  return (
    pageNames[page] ??
    (page >= UsagePage.vendor ? `Vendor 0x${page.toString(16)}` : `page 0x${page.toString(16)}`)
  );
}

/** `Generic Desktop/X`, `Keyboard/0x04`, `Button/3`. */
export function usageName(extended: number): string {
  const page = pageOf(extended);
  const id = idOf(extended);
  const known = page === UsagePage.genericDesktop ? desktopNames[id] : undefined;
  const isCounted = page === UsagePage.button || page === UsagePage.led;
  return `${pageName(page)}/${known ?? (isCounted ? String(id) : `0x${id.toString(16).padStart(2, "0")}`)}`;
}
