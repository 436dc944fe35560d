// The syntax tree of C++ source as plain data: kinds and fields are those of the tree-sitter grammar for C++.

/** A node. Offsets are code units of the text that the person gave, also where it was rewritten for the parser. */
export class Syntax {
  /** The grammar's name: "call_expression"; "ERROR" where the parser had to skip. */
  readonly kind: string;
  /** The role in the parent: "function", "arguments", "body"; "" for none. */
  readonly field: string;
  readonly start: number;
  readonly end: number;
  readonly parent: Syntax | null;
  /** Named nodes, and tokens that have a field, such as operators. */
  readonly children: Syntax[] = [];
  readonly #whole: string;

  constructor(whole: string, kind: string, field: string, start: number, end: number, parent: Syntax | null) {
    this.#whole = whole;
    this.kind = kind;
    this.field = field;
    this.start = start;
    this.end = end;
    this.parent = parent;
  }

  /** As written. */
  get text(): string {
    return this.#whole.slice(this.start, this.end);
  }

  /** The first child in this role. */
  child(field: string): Syntax | null {
    return this.children.find((child) => child.field === field) ?? null;
  }

  /** This node and everything below it, in the order of the text. */
  *walk(): Generator<Syntax> {
    const open: Syntax[] = [this];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      yield node;
      for (let index = node.children.length - 1; index >= 0; index--) open.push(node.children[index]);
    }
  }

  /** All of these kinds below, and this node when it is one. */
  all(...kinds: readonly string[]): Syntax[] {
    const found: Syntax[] = [];
    const open: Syntax[] = [this];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (kinds.includes(node.kind)) found.push(node);
      const { children } = node;
      for (let index = children.length - 1; index >= 0; index--) open.push(children[index]);
    }
    return found;
  }

  /** The nearest node above of one of these kinds. */
  above(...kinds: readonly string[]): Syntax | null {
    for (let node = this.parent; node !== null; node = node.parent)
      if (kinds.includes(node.kind)) return node;
    return null;
  }

  /** True when `other` is this node or below it. */
  holds(other: Syntax): boolean {
    return other.start >= this.start && other.end <= this.end;
  }
}

/** Text of an expression without blanks and indices, so that two ways of writing one variable compare equal. */
export function keyOf(node: Syntax): string {
  return node.text
    .replace(/\s+/g, "")
    .replace(/\[[^[\]]*\]/g, "[]")
    .replace(/^\((.*)\)$/, "$1")
    .replace(/^this->/, "");
}
