// XML property lists as Apple's tools write them.

import { xmlText } from "../../codec/xml/xml-text.ts";
import { isDictionary, type PropertyValue } from "../properties.ts";

const head =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n';

/** The whole file. Dates are not a type of their own here: they come out as strings. */
export function formatPlist(value: PropertyValue): string {
  return `${head}${plistValue(value, "")}</plist>\n`;
}

function plistValue(value: PropertyValue, indent: string): string {
  if (typeof value === "string") return `${indent}<string>${xmlText(value)}</string>\n`;
  if (typeof value === "number") return `${indent}<integer>${value}</integer>\n`;
  if (typeof value === "boolean") return `${indent}<${value}/>\n`;
  if (value instanceof Uint8Array) return `${indent}<data>${base64(value)}</data>\n`;
  if (isDictionary(value)) {
    const rows = Object.entries(value).map(
      ([key, item]) => `${indent}\t<key>${xmlText(key)}</key>\n${plistValue(item, `${indent}\t`)}`,
    );
    return `${indent}<dict>\n${rows.join("")}${indent}</dict>\n`;
  }
  return `${indent}<array>\n${value.map((item) => plistValue(item, `${indent}\t`)).join("")}${indent}</array>\n`;
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = [18, 12, 6, 0].map((shift) => base64Digits[(group >> shift) & 63]);
    const missing = Math.max(0, at + 3 - bytes.length);
    text += digits.slice(0, 4 - missing).join("") + "=".repeat(missing);
  }
  return text;
}
