// What test files get in place of `node:test` under mutation: it keeps their tests, to be run one at a time and again.

import { mock } from "node:test";

type Hook = () => unknown;
type Body = (context: TestContext) => unknown;

interface Options {
  readonly skip?: boolean | string;
  readonly todo?: boolean | string;
}

interface Suite {
  readonly name: string;
  readonly parent: Suite | null;
  readonly before: Hook[];
  readonly after: Hook[];
  readonly beforeEach: Hook[];
  readonly afterEach: Hook[];
}

export interface CollectedTest {
  readonly id: string;
  readonly file: string;
  readonly name: string;
  run(): Promise<void>;
}

class TestContext {
  readonly name: string;
  readonly signal: AbortSignal = new AbortController().signal;
  readonly mock = mock;
  readonly #after: Hook[] = [];
  constructor(name: string) {
    this.name = name;
  }
  diagnostic(): void {}
  skip(): void {}
  todo(): void {}
  plan(): void {}
  after(hook: Hook): void {
    this.#after.push(hook);
  }
  async test(first: unknown, ...rest: unknown[]): Promise<void> {
    const { name, body } = readArguments([first, ...rest]);
    await runBody(name, body);
  }
  async end(): Promise<void> {
    for (const hook of this.#after.reverse()) await hook();
  }
}

async function runBody(name: string, body: Body): Promise<void> {
  const context = new TestContext(name);
  try {
    await body(context);
  } finally {
    await context.end();
  }
}

function readArguments(given: readonly unknown[]): { name: string; options: Options; body: Body } {
  const name = given.find((value) => typeof value === "string");
  const body = given.find((value) => typeof value === "function");
  const options = given.find((value) => typeof value === "object" && value !== null);
  return {
    name: name ?? "without a name",
    options: (options as Options | undefined) ?? {},
    body: (body as Body | undefined) ?? (() => {}),
  };
}

const suite = (name: string, parent: Suite | null): Suite => ({
  name,
  parent,
  before: [],
  after: [],
  beforeEach: [],
  afterEach: [],
});

let current = suite("", null);
let file = "";
const found: CollectedTest[] = [];

/** Takes what a file registers while `load` runs. */
export async function collect(name: string, load: () => Promise<unknown>): Promise<readonly CollectedTest[]> {
  file = name;
  current = suite("", null);
  const from = found.length;
  await load();
  return found.slice(from);
}

/** From the outermost suite to the innermost. */
function line(of: Suite | null): readonly Suite[] {
  return of === null ? [] : [...line(of.parent), of];
}

function register(...given: unknown[]): void {
  const { name, options, body } = readArguments(given);
  if (options.skip || options.todo) return;
  const home = current;
  const path = [
    ...line(home)
      .map((each) => each.name)
      .filter(Boolean),
    name,
  ].join(" > ");
  found.push({
    id: `${file}#${found.length}`,
    file,
    name: path,
    // Hooks of a file or suite run round each of its tests: a test that is run alone, and again, finds what it needs.
    run: async () => {
      const around = line(home);
      try {
        for (const each of around) for (const hook of each.before) await hook();
        for (const each of around) for (const hook of each.beforeEach) await hook();
        await runBody(path, body);
      } finally {
        for (const each of around.toReversed()) for (const hook of each.afterEach) await hook();
        for (const each of around.toReversed()) for (const hook of each.after) await hook();
      }
    },
  });
}

function group(...given: unknown[]): void {
  const { name, options, body } = readArguments(given);
  if (options.skip || options.todo) return;
  const outer = current;
  current = suite(name, outer);
  body(new TestContext(name));
  current = outer;
}

const notAtAll = (): void => {};
export const test = Object.assign(register, { skip: notAtAll, todo: notAtAll, only: register });
export const it = test;
export const describe = Object.assign(group, { skip: notAtAll, todo: notAtAll, only: group });
export const before = (hook: Hook): void => void current.before.push(hook);
export const after = (hook: Hook): void => void current.after.push(hook);
export const beforeEach = (hook: Hook): void => void current.beforeEach.push(hook);
export const afterEach = (hook: Hook): void => void current.afterEach.push(hook);
export { describe as suite, mock };
export default test;
