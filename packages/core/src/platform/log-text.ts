// Log rows as the `log` command prints them, for people and for evidence files.

import { hex } from "../base/text.ts";
import type { LogLevel, LogRow } from "./log-row.ts";

export type LogStyle = "default" | "compact" | "syslog" | "json" | "ndjson";

/** Virtual time 0 is this calendar instant, milliseconds of Unix time: 2025-10-01 12:00:00 UTC. */
const epochMs = 1_759_320_000_000;

const typeNames: Record<LogLevel, string> = {
  default: "Default",
  info: "Info",
  debug: "Debug",
  error: "Error",
  fault: "Fault",
};
const compactTypes: Record<LogLevel, string> = {
  default: "Df",
  info: "I ",
  debug: "Db",
  error: "E ",
  fault: "F ",
};

/** The file that `log show --style STYLE` would print (posts.md §4.5). */
export function formatLog(rows: readonly LogRow[], style: LogStyle = "default"): string {
  if (style === "json") return `${JSON.stringify(rows.map(record), null, 1)}\n`;
  if (style === "ndjson") return rows.map((row) => `${JSON.stringify(record(row))}\n`).join("");
  const lines = rows.map((row) => formatLogRow(row, style));
  if (style === "default") {
    lines.unshift("Timestamp                       Thread     Type        Activity             PID    TTL  ");
  }
  return `${lines.join("\n")}\n`;
}

export function formatLogRow(row: LogRow, style: "default" | "compact" | "syslog" = "default"): string {
  const sender = row.sender === "" ? "" : `(${row.sender}) `;
  const bracket = row.subsystem === "" ? "" : `[${row.subsystem}:${row.category}] `;
  if (style === "compact") {
    const time = calendar(row.timeNs).slice(0, 23);
    return `${time} ${compactTypes[row.level]} ${row.process}[${row.pid}:3e8] ${sender}${bracket}${row.message}`;
  }
  if (style === "syslog") {
    return `${calendar(row.timeNs)}+0000  localhost ${row.process}[${row.pid}]: ${sender}${bracket}${row.message}`;
  }
  const type = typeNames[row.level].padEnd(11);
  const pid = String(row.pid).padEnd(6);
  return `${calendar(row.timeNs)}+0000 0x${hex(1000).padEnd(8)} ${type} 0x0                  ${pid} 0    ${row.process}: ${sender}${bracket}${row.message}`;
}

function record(row: LogRow): Record<string, unknown> {
  return {
    timestamp: `${calendar(row.timeNs)}+0000`,
    eventType: "logEvent",
    messageType: typeNames[row.level],
    eventMessage: row.message,
    formatString: "%s",
    processID: row.pid,
    processImagePath: row.process === "kernel" ? "/kernel" : row.process,
    senderImagePath: row.sender,
    subsystem: row.subsystem,
    category: row.category,
    threadID: 1000,
    machTimestamp: row.timeNs,
  };
}

/** "2025-10-01 12:00:00.001250" for 1.25 ms: computed, because core has no calendar of the host. */
export function calendar(timeNs: number): string {
  const totalUs = Math.floor(timeNs / 1_000) + epochMs * 1_000;
  const seconds = Math.floor(totalUs / 1_000_000);
  const days = Math.floor(seconds / 86_400);
  const inDay = seconds - days * 86_400;
  const [year, month, day] = dateOfDays(days);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}:${two(inDay % 60)}`;
  const fraction = String(totalUs - seconds * 1_000_000).padStart(6, "0");
  return `${year}-${two(month)}-${two(day)} ${time}.${fraction}`;
}

/** Days since 1970-01-01 -> civil date, by 400-year eras of the proleptic Gregorian calendar. */
function dateOfDays(days: number): [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1;
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}
