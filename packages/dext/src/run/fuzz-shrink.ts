// A fault's inputs made few and small, as long as the same fault comes.

import type { FuzzCall, FuzzCase, FuzzInput } from "./fuzz-input.ts";
import { type FuzzSession, runSession } from "./fuzz-session.ts";

/** Findings that differ in numbers only, at the same places, are one, wherever their memory came from. */
export function signatureOf(whole: string): string {
  // A session that traces nothing does not know where an object was made.
  const finding = whole
    .replace(/^(leak: \w+) made in .*$/, "$1")
    .replace(/, (?:made|given up) in [^()]*\([^()]*\)/g, "");
  const places = finding.match(/[\w.+-]+\.\w+:\d+/g) ?? [];
  return `${finding.replace(/0x[0-9a-f]+|\d+/g, "#")} ${places.join(" ")}`;
}

/** Each is a machine of its own: 10 to 30 ms. */
const runsMost = 150;

export interface Shrunk {
  readonly case: FuzzCase;
  /** The finding of the shrunk case; null: the whole one did not fail again by itself. */
  readonly what: string | null;
}

export async function shrinkCase(found: FuzzCase, signature: string, session: FuzzSession): Promise<Shrunk> {
  let runs = 0;
  let what: string | null = null;
  const fails = async (inputs: readonly FuzzInput[]): Promise<boolean> => {
    if (runs++ >= runsMost) return false;
    let at = 0;
    const end = await runSession(session, { next: () => inputs[at++] ?? null, fed: () => {} });
    const same = end.findings.find((finding) => signatureOf(finding) === signature);
    if (same === undefined) return false;
    what = same;
    return true;
  };
  let inputs: readonly FuzzInput[] = found.inputs;
  if (!(await fails(inputs))) return { case: found, what: null };
  inputs = await fewer(inputs, fails);
  for (let index = 0; index < inputs.length; index++) inputs = await smaller(inputs, index, fails);
  return { case: { ...found, inputs }, what };
}

type Fails = (inputs: readonly FuzzInput[]) => Promise<boolean>;

/** Parts are left out, large ones first. */
async function fewer(given: readonly FuzzInput[], fails: Fails): Promise<readonly FuzzInput[]> {
  let inputs = given;
  for (let size = Math.ceil(inputs.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < inputs.length; ) {
      const without = [...inputs.slice(0, at), ...inputs.slice(at + size)];
      if (await fails(without)) inputs = without;
      else at += size;
    }
  }
  return inputs;
}

async function smaller(
  given: readonly FuzzInput[],
  index: number,
  fails: Fails,
): Promise<readonly FuzzInput[]> {
  let inputs = given;
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const candidate of simpler(inputs[index])) {
      const changed = inputs.with(index, candidate);
      if (!(await fails(changed))) continue;
      inputs = changed;
      isChanged = true;
      break;
    }
  }
  return inputs;
}

/** Each is strictly simpler, so it ends. */
function* simpler(input: FuzzInput): Generator<FuzzInput> {
  if (input.kind === "call") yield* simplerCalls(input);
  for (const bytes of simplerBytes(input.bytes)) yield { ...input, bytes };
}

function* simplerCalls(call: FuzzCall): Generator<FuzzCall> {
  if (call.isAsync) yield { ...call, isAsync: false };
  if (call.client > 0) yield { ...call, client: 0 };
  if (call.outBytes > 0) yield { ...call, outBytes: 0 };
  if (call.outScalars > 0) yield { ...call, outScalars: 0 };
  if (call.scalars.length > 0) yield { ...call, scalars: call.scalars.slice(0, -1) };
  for (const [at, value] of call.scalars.entries()) {
    if (value > 0) yield { ...call, scalars: call.scalars.with(at, 0) };
    if (value > 1) yield { ...call, scalars: call.scalars.with(at, Math.floor(value / 2)) };
    if (value > 1) yield { ...call, scalars: call.scalars.with(at, value - 1) };
  }
}

function* simplerBytes(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length === 0) return;
  yield new Uint8Array(0);
  if (bytes.length > 2) yield bytes.slice(0, bytes.length >> 1);
  yield bytes.slice(0, -1);
  const positions = [...bytes.keys()].filter((at) => bytes[at] !== 0);
  if (positions.length > 1) yield new Uint8Array(bytes.length);
  for (const at of positions.slice(0, 64)) yield bytes.with(at, 0);
}
