// A terminal that obeys control sequences (xterm), as a script that the page loads when a console is looked at.

import { Terminal } from "@xterm/xterm";
import styles from "@xterm/xterm/css/xterm.css";
import { sheetDocument } from "./sheet-document.ts";
import type { OpenTerminal } from "./terminal-door.ts";

const columns = 80;
const rows = 24;
const keptRows = 2000;

const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);
document.adoptedStyleSheets.push(sheet);

const openTerminal: OpenTerminal = (place, { isReduced, onKeys }) => {
  const ours = sheetDocument(document);
  const colors = getComputedStyle(place);
  const terminal = new Terminal({
    cols: columns,
    rows,
    scrollback: keptRows,
    // Rows are also text for those who cannot see them.
    screenReaderMode: true,
    cursorBlink: !isReduced,
    fontFamily: "ui-monospace, monospace",
    fontSize: 13,
    documentOverride: ours,
    // A link of a device leads nowhere.
    linkHandler: { activate: () => {} },
    theme: { background: colors.backgroundColor, foreground: colors.color, cursor: colors.color },
  });
  // Its viewport takes the window's document, whatever it was given: for this one call that makes what ours makes.
  Object.defineProperty(document, "createElement", { value: ours.createElement, configurable: true });
  try {
    terminal.open(place);
  } finally {
    Reflect.deleteProperty(document, "createElement");
  }
  terminal.onData(onKeys);
  // Tab leaves the terminal, as it leaves every other field.
  terminal.attachCustomKeyEventHandler((event) => event.key !== "Tab");
  return {
    write: (text) => terminal.write(text),
    reset: () => terminal.reset(),
    focus: () => terminal.focus(),
    end: () => terminal.dispose(),
  };
};

Object.assign(globalThis, { drydockTerminal: openTerminal });
