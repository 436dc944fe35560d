// A report in JUnit's XML, as CI services read it: suites of cases that pass, fail or were skipped.

import { xmlAttribute, xmlText } from "../xml/xml-text.ts";

export interface JunitCase {
  readonly className: string;
  readonly name: string;
  /** One line, and the whole of it. */
  readonly failure?: { readonly message: string; readonly text: string };
  /** Why it was not judged. */
  readonly skipped?: string;
  /** What there is to say about a case that passes. */
  readonly output?: string;
}

export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
}

/** How every report begins: our own may be written over. */
export const junitHead = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="drydock"';

export function writeJunit(suites: readonly JunitSuite[]): string {
  const all = suites.flatMap(({ cases }) => cases);
  return [
    `${junitHead} ${counts(all)}>`,
    ...suites.flatMap(({ cases, name }) => [
      `  <testsuite name="${xmlAttribute(name)}" ${counts(cases)}>`,
      ...cases.map(caseText),
      "  </testsuite>",
    ]),
    "</testsuites>\n",
  ].join("\n");
}

function counts(cases: readonly JunitCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((each) => each.skipped !== undefined).length;
  return `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
}

function caseText({ className, failure, name, output, skipped }: JunitCase): string {
  const inner: string[] = [];
  if (failure !== undefined)
    inner.push(`<failure message="${xmlAttribute(failure.message)}">${linesOf(failure.text)}</failure>`);
  if (skipped !== undefined) inner.push(`<skipped message="${xmlAttribute(skipped)}"/>`);
  if (output !== undefined) inner.push(`<system-out>${linesOf(output)}</system-out>`);
  const head = `    <testcase classname="${xmlAttribute(className)}" name="${xmlAttribute(name)}"`;
  return inner.length === 0
    ? `${head}/>`
    : `${head}>\n${inner.map((line) => `      ${line}\n`).join("")}    </testcase>`;
}

const linesOf = (text: string): string => text.split("\n").map(xmlText).join("\n");
