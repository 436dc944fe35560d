// A report descriptor as text: what each report holds, bit by bit.

import {
  type HidCollection,
  type HidField,
  isArray,
  isConstant,
  type ReportDescriptor,
} from "./report-descriptor.ts";
import { FieldFlag } from "./report-items.ts";
import { usageName } from "./usages.ts";

const collectionNames = [
  "physical",
  "application",
  "logical",
  "report",
  "named array",
  "usage switch",
  "usage modifier",
];

/** Ranges shown per field; the rest is counted. */
const rangesShown = 8;

/** One line per collection and field, indented by depth. Fields outside any collection come first. */
export function formatReportDescriptor(descriptor: ReportDescriptor): string {
  const lines: string[] = [];
  for (const field of descriptor.fields) if (field.collection === null) lines.push(describeField(field));
  for (const collection of descriptor.collections) addCollection(lines, collection, 0);
  return lines.map((line) => `${line}\n`).join("");
}

function addCollection(lines: string[], collection: HidCollection, depth: number): void {
  const indent = "  ".repeat(depth);
  const name = collectionNames[collection.type] ?? `type 0x${collection.type.toString(16)}`;
  lines.push(
    `${indent}${name} collection ${collection.usage === 0 ? "without usage" : usageName(collection.usage)}`,
  );
  for (const field of collection.fields) lines.push(`${indent}  ${describeField(field)}`);
  for (const inner of collection.collections) addCollection(lines, inner, depth + 1);
}

/** `input 1: bits 8..15 8 x 1  Keyboard/0xe0 to Keyboard/0xe7  0..1`. */
function describeField(field: HidField): string {
  const bits = field.reportSize * field.reportCount;
  const place = `${field.kind}${field.reportId === 0 ? "" : ` ${field.reportId}`}: bits ${field.bitOffset}..${field.bitOffset + bits - 1}`;
  const shape = `${field.reportCount} x ${field.reportSize}`;
  if (isConstant(field) && field.usages.length === 0) return `${place}  ${shape}  constant`;
  const usages = field.usages
    .slice(0, rangesShown)
    .map(({ minimum, maximum }) =>
      minimum === maximum ? usageName(minimum) : `${usageName(minimum)} to ${usageName(maximum)}`,
    )
    .join(", ");
  const more = field.usages.length > rangesShown ? ` and ${field.usages.length - rangesShown} more` : "";
  const has = (flag: number) => (field.flags & flag) !== 0;
  const words = [
    isConstant(field) ? "constant" : isArray(field) ? "array" : "variable",
    ...(has(FieldFlag.relative) ? ["relative"] : []),
    ...(has(FieldFlag.wrap) ? ["wrap"] : []),
    ...(has(FieldFlag.nonLinear) ? ["non-linear"] : []),
    ...(has(FieldFlag.noPreferred) ? ["no preferred state"] : []),
    ...(has(FieldFlag.nullState) ? ["null state"] : []),
    ...(has(FieldFlag.volatile) ? ["volatile"] : []),
    ...(has(FieldFlag.bufferedBytes) ? ["buffered bytes"] : []),
  ].join(" ");
  const hasPhysical =
    field.physicalMinimum !== field.logicalMinimum || field.physicalMaximum !== field.logicalMaximum;
  const physical = hasPhysical ? ` is ${field.physicalMinimum}..${field.physicalMaximum}` : "";
  const unit =
    field.unit === 0
      ? ""
      : ` unit 0x${field.unit.toString(16)}${field.unitExponent === 0 ? "" : ` e${field.unitExponent}`}`;
  return `${place}  ${shape}  ${usages}${more}  ${words}  ${field.logicalMinimum}..${field.logicalMaximum}${physical}${unit}`;
}
