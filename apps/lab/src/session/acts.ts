// The one table of acts: the command line of the lab, its palette and its buttons are made of it.

/** What an act is given; `none` for those that need nothing. */
export type ActArgument =
  | "none"
  | "connector"
  | "rule"
  | "seed"
  | "row"
  | "seconds"
  | "speed"
  | "text"
  | "lines"
  | "count";

export interface Act {
  readonly name: string;
  /** As a button and the palette say it. */
  readonly label: string;
  /** One sentence: what it does. */
  readonly sentence: string;
  readonly argument: ActArgument;
  /** What the argument is when nobody says one. */
  readonly usual: string;
  /** A key of the page; empty when it has none. */
  readonly key: string;
  /** What has it: every session, rigs, cases, or rigs whose catalogue entry names it. */
  readonly of: "all" | "rig" | "entry" | "case" | "cable-case" | "serial" | "disk" | "input" | "network";
}

const act = <const Name extends string>(
  name: Name,
  label: string,
  sentence: string,
  of: Act["of"],
  more: { argument?: ActArgument; usual?: string; key?: string } = {},
) => ({
  name,
  label,
  sentence,
  of,
  argument: more.argument ?? ("none" as ActArgument),
  usual: more.usual ?? "",
  key: more.key ?? "",
});

export const acts = [
  act("run", "Run", "Time goes on, at the chosen speed.", "rig"),
  act("pause", "Pause", "Time stands still; nothing of the rig goes on.", "rig"),
  act("step", "Step", "Goes on to the next row.", "all", { key: "." }),
  act("back", "Back", "One row back: a rig runs again from its seed to where it was before.", "all", {
    key: ",",
  }),
  act(
    "run-to",
    "Run to …",
    "Goes on to a moment, in seconds from the beginning (0.5@812: and to that step).",
    "rig",
    {
      argument: "seconds",
      usual: "1",
    },
  ),
  act("speed", "Speed …", "How fast time goes: 1 is as outside, 0 as fast as it can.", "rig", {
    argument: "speed",
    usual: "1",
  }),
  act("unplug", "Unplug", "Pulls the cable of a device.", "entry", {
    argument: "connector",
    usual: "1",
    key: "u",
  }),
  act("plug", "Plug in", "Puts a device back into its connector.", "entry", {
    argument: "connector",
    usual: "1",
    key: "p",
  }),
  act("fault", "Fault …", "Begins again with one more fault on the bus.", "entry", {
    argument: "rule",
    usual: "stall:ep=0x81,nth=3",
    key: "f",
  }),
  act(
    "power-cut",
    "Cut the power",
    "A device loses its power, and with it what its cache holds; half a second later it gets it again.",
    "entry",
    { argument: "connector", usual: "1", key: "x" },
  ),
  act("write", "Write …", "Writes so many blocks to the first disk and flushes nothing.", "disk", {
    argument: "count",
    usual: "64",
    key: "w",
  }),
  act("flush", "Flush", "Flushes the first disk: the ledger says what each layer made of it.", "disk"),
  act("read-back", "Read back", "Reads what was written and says how many blocks hold it.", "disk"),
  act("sleep", "Sleep", "The system sleeps: every driver that joined has its power changed.", "rig"),
  act("wake", "Wake", "The system wakes again.", "rig"),
  act("send-frames", "Send frames …", "Sends so many frames; the far end sends each back.", "network", {
    argument: "count",
    usual: "10",
  }),
  act("press", "Press …", "A key or button goes down and up again: 3, or 2:3 of connector 2.", "input", {
    argument: "text",
    usual: "1",
  }),
  act(
    "unplug-at",
    "Unplug before step …",
    "Plays the case with its cable pulled before that step of its scheduler; 0 plays it as it is told.",
    "cable-case",
    { argument: "count", usual: "0" },
  ),
  act(
    "seed",
    "Seed …",
    "Begins again with another seed: everything that chance decides follows from it.",
    "all",
    {
      argument: "seed",
      usual: "2",
      key: "R",
    },
  ),
  act("again", "Begin again", "The same from the beginning, without what was done by hand.", "all"),
  act(
    "unplug-here",
    "The same, but unplug here",
    "Runs again to this row, pulls the first cable, and compares.",
    "entry",
    {
      argument: "row",
      usual: "",
      key: "U",
    },
  ),
  act(
    "against-seed",
    "Against seed …",
    "Compares with the same on another seed: the first row that differs.",
    "all",
    {
      argument: "seed",
      usual: "2",
    },
  ),
  act(
    "against-side",
    "Against the other driver",
    "Compares with the case's other driver on the same seed.",
    "case",
  ),
  act(
    "which-seed",
    "Which seed fails?",
    "Tries seeds in order, as many as you say, until one fails.",
    "all",
    {
      argument: "count",
      usual: "20",
    },
  ),
  act("open-console", "Open the port", "Opens the first serial port at 115,200 baud.", "serial"),
  act("type", "Type …", "Sends text to the serial port; it comes back through the device.", "serial", {
    argument: "text",
    usual: "hello",
  }),
  act("break", "Send a break", "Holds the serial line low for a quarter of a second.", "serial"),
  act("modem-lines", "Set DTR and RTS …", "Sets the lines that are named, and clears the others.", "serial", {
    argument: "lines",
    usual: "dtr rts",
  }),
] as const;

export type ActName = (typeof acts)[number]["name"];

export function findAct(name: string): Act | null {
  return acts.find((entry) => entry.name === name) ?? null;
}

/** "unplug 1" as the lab's command line takes it. Throws RangeError that says what to type. */
export function parseAct(line: string): { readonly name: ActName; readonly value: string } {
  const [, name = "", value = ""] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
  const found = acts.find((entry) => entry.name === name);
  if (found === undefined)
    throw new RangeError(
      `there is no act "${name.slice(0, 40)}"; there are: ${acts.map((entry) => entry.name).join(", ")}`,
    );
  return {
    name: found.name,
    value: found.argument === "text" ? givenOf(found, textOf(value)) : givenOf(found, value),
  };
}

/** What an act is given: what was said, or the usual. Throws RangeError for an act that takes nothing. */
export function givenOf(act: Act, value: string): string {
  if (act.argument === "none" && value !== "")
    throw new RangeError(`${act.name} takes nothing behind its name`);
  return value === "" ? act.usual : value;
}

/** In quotation marks a text is as JSON has it, so that a line holds a carriage return, too. */
export function textOf(value: string): string {
  if (!/^".*"$/s.test(value)) return value;
  try {
    const text: unknown = JSON.parse(value);
    if (typeof text === "string") return text;
  } catch {
    // Said below.
  }
  throw new RangeError('a text in quotation marks is as JSON has it: "hello\\r\\n"');
}

/** The line that does it again. */
export function actLine(name: ActName, value: string): string {
  const found = acts.find((entry) => entry.name === name);
  if (found === undefined || value === "") return name;
  const isPlain = found.argument !== "text" || /^[^\s"\p{Cc}](?:[^\p{Cc}]*[^\s\p{Cc}])?$/u.test(value);
  return `${name} ${isPlain ? value : JSON.stringify(value)}`;
}

/** A whole number from `least` to `most`. Throws RangeError. */
export function wholeOf(value: string, what: string, least: number, most: number): number {
  if (!/^\d{1,15}$/.test(value) || Number(value) < least || Number(value) > most)
    throw new RangeError(`a ${what} is a whole number from ${least} to ${most}, not "${value.slice(0, 40)}"`);
  return Number(value);
}
