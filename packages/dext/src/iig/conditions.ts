// Which lines a preprocessor would keep: #if, #ifdef, #elif round whole classes and between methods.

/** Names with their values; a name without a value is "1" as of -DNAME. */
export type Defines = ReadonlyMap<string, string>;

export interface ConditionAnswer {
  readonly holds: boolean;
  /** Names that nothing has defined: taken as 0, as C does. */
  readonly unknown: readonly string[];
  /** Why it could not be read; null: it could. */
  readonly problem: string | null;
}

/** What every build for DriverKit defines. */
export const builtInDefines: Defines = new Map([
  ["__cplusplus", "202002L"],
  ["TARGET_OS_DRIVERKIT", "1"],
  ["TARGET_OS_OSX", "0"],
  ["TARGET_OS_IPHONE", "0"],
  ["TARGET_OS_MAC", "1"],
  ["__APPLE__", "1"],
  ["__clang__", "1"],
]);

const pattern =
  /\s*(?:([A-Za-z_]\w*)|(0[xX][0-9a-fA-F]+|\d+)[uUlL]*|(&&|\|\||==|!=|<=|>=|<<|>>|[!()<>+\-*/%&|^~?:,."]))/y;
const deepest = 64;

/** The value of "#if TEXT". Division by nothing, a deep nest or a foreign sign is a problem, never an exception. */
export function evaluateCondition(text: string, defines: Defines): ConditionAnswer {
  const words: string[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < text.trimEnd().length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (found === null)
      return { holds: false, unknown: [], problem: `no condition: ${text.slice(at).trim()}` };
    words.push(found[1] ?? found[2] ?? found[3]!);
  }
  const reader = new Reader(words, defines);
  try {
    const value = reader.choice(0);
    if (reader.isAtEnd) return { holds: value !== 0, unknown: [...reader.unknown], problem: null };
    return { holds: false, unknown: [], problem: `the condition does not end at ${reader.here}` };
  } catch (error) {
    if (error instanceof UnreadableCondition) return { holds: false, unknown: [], problem: error.message };
    throw error;
  }
}

class UnreadableCondition extends Error {}

const levels = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<", ">", "<=", ">="],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

class Reader {
  readonly #words: readonly string[];
  readonly #defines: Defines;
  readonly unknown = new Set<string>();
  #at = 0;

  constructor(words: readonly string[], defines: Defines) {
    this.#words = words;
    this.#defines = defines;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  get here(): string {
    return this.#words[this.#at] ?? "its end";
  }

  #take(word: string): boolean {
    if (this.#words[this.#at] !== word) return false;
    this.#at += 1;
    return true;
  }

  #must(word: string): void {
    if (!this.#take(word)) throw new UnreadableCondition(`${word} is missing before ${this.here}`);
  }

  choice(depth: number): number {
    if (depth > deepest) throw new UnreadableCondition(`the condition is nested more than ${deepest} deep`);
    const test = this.#level(0, depth);
    if (!this.#take("?")) return test;
    const yes = this.choice(depth + 1);
    this.#must(":");
    const no = this.choice(depth + 1);
    return test !== 0 ? yes : no;
  }

  #level(level: number, depth: number): number {
    const signs = levels[level];
    if (signs === undefined) return this.#unary(depth);
    let left = this.#level(level + 1, depth);
    for (
      let sign = this.#words[this.#at];
      sign !== undefined && signs.includes(sign);
      sign = this.#words[this.#at]
    ) {
      this.#at += 1;
      left = combine(sign, left, this.#level(level + 1, depth));
    }
    return left;
  }

  #unary(depth: number): number {
    let value: number | null = null;
    const signs: string[] = [];
    while (["!", "-", "+", "~"].includes(this.here) && !this.isAtEnd) {
      signs.push(this.here);
      this.#at += 1;
    }
    value = this.#primary(depth);
    for (const sign of signs.reverse()) {
      if (sign === "!") value = value === 0 ? 1 : 0;
      if (sign === "-") value = -value;
      if (sign === "~") value = ~value;
    }
    return value;
  }

  #primary(depth: number): number {
    const word = this.#words[this.#at];
    if (word === undefined) throw new UnreadableCondition("the condition is not whole");
    if (this.#take("(")) {
      const value = this.choice(depth + 1);
      this.#must(")");
      return value;
    }
    this.#at += 1;
    if (/^\d/.test(word)) return Number(word);
    if (!/^[A-Za-z_]/.test(word)) throw new UnreadableCondition(`no condition begins with ${word}`);
    if (word === "defined") {
      const isBracketed = this.#take("(");
      const name = this.here;
      this.#at += 1;
      if (isBracketed) this.#must(")");
      return this.#defines.has(name) ? 1 : 0;
    }
    if (word === "true") return 1;
    if (this.#take("(")) return this.#question(word, depth);
    return this.#valueOf(word);
  }

  /** __has_include(<...>), __has_feature(...): what the compiler answers, we say no to. */
  #question(word: string, depth: number): number {
    if (depth > deepest) throw new UnreadableCondition(`the condition is nested more than ${deepest} deep`);
    let open = 1;
    while (open > 0 && !this.isAtEnd) {
      if (this.#take("(")) open += 1;
      else if (this.#take(")")) open -= 1;
      else this.#at += 1;
    }
    if (open > 0) throw new UnreadableCondition(`) is missing behind ${word}(`);
    this.unknown.add(word);
    return 0;
  }

  #valueOf(word: string): number {
    let value: string | undefined = word;
    for (let step = 0; step < 16 && value !== undefined && /^[A-Za-z_]\w*$/.test(value); step++) {
      if (value === "false") return 0;
      if (!this.#defines.has(value)) this.unknown.add(value);
      value = this.#defines.get(value);
    }
    const number = /^\(?\s*(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*\)?$/.exec(value ?? "");
    return number === null ? 0 : Number(number[1]);
  }
}

function combine(sign: string, left: number, right: number): number {
  switch (sign) {
    case "||":
      return left !== 0 || right !== 0 ? 1 : 0;
    case "&&":
      return left !== 0 && right !== 0 ? 1 : 0;
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    case "&":
      return left & right;
    case "==":
      return left === right ? 1 : 0;
    case "!=":
      return left !== right ? 1 : 0;
    case "<":
      return left < right ? 1 : 0;
    case ">":
      return left > right ? 1 : 0;
    case "<=":
      return left <= right ? 1 : 0;
    case ">=":
      return left >= right ? 1 : 0;
    case "<<":
      return left << right;
    case ">>":
      return left >> right;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
  }
  if (right === 0) throw new UnreadableCondition("the condition divides by 0");
  return sign === "/" ? Math.trunc(left / right) : left % right;
}
