// One row of the `log` command in any of its styles: default, compact, syslog, ndjson (posts.md §4.5).

export type LogStyle = "default" | "compact" | "syslog" | "json";

export interface LogRow {
  /** null: the line is no log row; everything is in `message`. */
  readonly style: LogStyle | null;
  /** As printed. */
  readonly time: string;
  /** "Default", "Error", ...; empty when the style does not say. */
  readonly level: string;
  readonly process: string;
  /** -1 when unknown. */
  readonly pid: number;
  /** The image that logged, when it is not the process's own. */
  readonly sender: string;
  readonly subsystem: string;
  readonly category: string;
  readonly message: string;
}

const time = "(\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d[.,]\\d{3,9})([+-]\\d{4})?";
/** Timestamp Thread Type Activity PID [TTL] process: rest. TTL is missing in `log stream` and older versions. */
const defaultRow = new RegExp(
  `^${time}\\s+0x([0-9a-f]+)\\s+(Default|Info|Debug|Error|Fault|Activity|Signpost|State|Loss)\\s+0x[0-9a-f]+\\s+(\\d+)\\s+(?:\\d+\\s+)?([^:]{1,120}): ?(.*)$`,
  "i",
);
const compactRow = new RegExp(
  `^${time}\\s+(Df|I|In|Db|E|Er|F|Ft|A|Ac)\\s+([^[\\]]{1,120})\\[(\\d+):[0-9a-f]+\\] ?(.*)$`,
);
const syslogRow = new RegExp(`^${time}\\s+(\\S+)\\s+([^[\\]]{1,120})\\[(\\d+)\\]: ?(.*)$`);
/** What Console and the forum show when somebody copied only a part: "kernel: (x.dext) ...". */
const bareRow =
  /^(?:Error|Default|Fault|Info|Debug)?\s*(?:0x[0-9a-f]+\s+\d+\s+\d+\s+)?(kernel|[\w.-]{2,60}): (\([\w.-]+\).*)$/;
const parts = /^(?:\(([^()]{1,200})\) ?)?(?:\[([^[\]:]{1,200}):([^[\]]{0,200})\] ?)?(.*)$/;

const compactLevels: Readonly<Record<string, string>> = {
  Df: "Default",
  I: "Info",
  In: "Info",
  Db: "Debug",
  E: "Error",
  Er: "Error",
  F: "Fault",
  Ft: "Fault",
};

/** Never fails: a line that is no row is all message. */
export function parseLogRow(line: string): LogRow {
  const first = line.charCodeAt(0);
  if (first === 0x7b) return rowOfJson(line) ?? plainRow(line);
  if (first >= 0x30 && first <= 0x39) {
    const full = defaultRow.exec(line);
    if (full !== null)
      return withParts("default", full[1], capital(full[4]), full[6], Number(full[5]), full[7]);
    const compact = compactRow.exec(line);
    if (compact !== null) {
      const level = compactLevels[compact[3]] ?? "";
      return withParts("compact", compact[1], level, compact[4], Number(compact[5]), compact[6]);
    }
    const syslog = syslogRow.exec(line);
    if (syslog !== null) return withParts("syslog", syslog[1], "", syslog[4], Number(syslog[5]), syslog[6]);
    return plainRow(line);
  }
  const bare = bareRow.exec(line);
  return bare === null ? plainRow(line) : withParts("default", "", "", bare[1], -1, bare[2]);
}

function plainRow(message: string): LogRow {
  return {
    style: null,
    time: "",
    level: "",
    process: "",
    pid: -1,
    sender: "",
    subsystem: "",
    category: "",
    message,
  };
}

function withParts(
  style: LogStyle,
  when: string,
  level: string,
  process: string,
  pid: number,
  rest: string,
): LogRow {
  const match = parts.exec(rest);
  return {
    style,
    time: when,
    level,
    process: process.trim(),
    pid,
    sender: match?.[1] ?? "",
    subsystem: match?.[2] ?? "",
    category: match?.[3] ?? "",
    message: match?.[4] ?? rest,
  };
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}

/** One object of `--style json` or `ndjson`; null when it is none. */
export function rowOfJson(text: string): LogRow | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || !("eventMessage" in value)) return null;
  const record = value as Readonly<Record<string, unknown>>;
  const word = (key: string) => (typeof record[key] === "string" ? (record[key] as string) : "");
  const image = (key: string) => word(key).split("/").pop() ?? "";
  const process = image("processImagePath");
  const sender = image("senderImagePath");
  return {
    style: "json",
    time: word("timestamp"),
    level: word("eventType") === "lossEvent" ? "Loss" : word("messageType"),
    process,
    pid: typeof record.processID === "number" ? record.processID : -1,
    sender: sender === process ? "" : sender,
    subsystem: word("subsystem"),
    category: word("category"),
    message: word("eventMessage"),
  };
}
