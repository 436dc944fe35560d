// C++ text to a syntax tree, by tree-sitter's grammar; loaded when the first source file is met, never before.

import type { Language, Parser, TreeCursor } from "web-tree-sitter";
import { type Rewritten, rewrite } from "./rewrite.ts";
import { Syntax } from "./syntax.ts";

/** Brings the compiled grammar (tree-sitter-cpp.wasm); the doctor itself opens no files. */
export interface CppGrammar {
  (): Promise<Uint8Array>;
  /** Brings the library's own WebAssembly, where it cannot find it itself: in a page. */
  readonly runtime?: () => Promise<Uint8Array>;
}

/** Deeper nesting than this is no source that anybody wrote. What lies below is left out. */
const deepest = 400;

const parsers = new WeakMap<CppGrammar, Promise<CppParser>>();

/** The same grammar gives the same parser. Rejects when the grammar cannot be had. */
export function cppParser(grammar: CppGrammar): Promise<CppParser> {
  const known = parsers.get(grammar);
  if (known !== undefined) return known;
  const loading = CppParser.load(grammar);
  parsers.set(grammar, loading);
  return loading;
}

export interface ParsedText {
  readonly root: Syntax;
  readonly rewritten: Rewritten;
}

export class CppParser {
  readonly #parser: Parser;

  private constructor(parser: Parser) {
    this.#parser = parser;
  }

  static async load(grammar: CppGrammar): Promise<CppParser> {
    const treeSitter = await import("web-tree-sitter");
    const { runtime } = grammar;
    await treeSitter.Parser.init(
      runtime === undefined ? {} : { wasmBinary: await runtime(), locateFile: (name: string) => name },
    );
    const language: Language = await treeSitter.Language.load(await grammar());
    const parser = new treeSitter.Parser();
    parser.setLanguage(language);
    return new CppParser(parser);
  }

  /** Broken source is normal: what does not parse becomes nodes of kind "ERROR", the rest is there. */
  parse(text: string): ParsedText {
    const rewritten = rewrite(text);
    const tree = this.#parser.parse(rewritten.text);
    if (tree === null) throw new Error("the parser gave up");
    try {
      return { root: copyTree(tree.walk(), text, rewritten), rewritten };
    } finally {
      tree.delete();
    }
  }
}

function copyTree(cursor: TreeCursor, text: string, rewritten: Rewritten): Syntax {
  const root = new Syntax(text, cursor.nodeType, "", 0, text.length, null);
  const path = [root];
  let depth = 0;
  for (;;) {
    if (depth < deepest && cursor.gotoFirstChild()) depth++;
    else {
      while (!cursor.gotoNextSibling()) {
        if (depth === 0) {
          cursor.delete();
          return root;
        }
        cursor.gotoParent();
        depth--;
      }
    }
    const parent = path[depth - 1];
    const field = cursor.currentFieldName ?? "";
    if (!cursor.nodeIsNamed && field === "") {
      path[depth] = parent;
      continue;
    }
    const start = rewritten.original(cursor.startIndex);
    const node = new Syntax(text, cursor.nodeType, field, start, rewritten.original(cursor.endIndex), parent);
    parent.children.push(node);
    path[depth] = node;
  }
}
