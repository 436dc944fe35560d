// Which ways out of a function miss a call that every way has to make.

import { callsIn, type SourceCall } from "./source-file.ts";
import type { Syntax } from "./syntax.ts";

export interface Exit {
  /** The return statement, or the body for its end. */
  readonly node: Syntax;
  readonly isEnd: boolean;
}

/**
 * Ways out on which no call that `counts` was made before. Branches are taken both ways, loops once or not at all. A call
 * in a block or lambda counts: it is made later, which for an acknowledgement is as good. `stands`: a macro in this
 * statement stands for the call.
 */
export function exitsWithout(
  body: Syntax,
  counts: (call: SourceCall) => boolean,
  stands: (node: Syntax) => boolean = () => false,
): Exit[] {
  const exits: Exit[] = [];
  const made = (node: Syntax) => callsIn(node).some(counts) || stands(node);
  /** True when the statement is left with the call still missing on some way. */
  const run = (node: Syntax, isMissing: boolean): boolean => {
    if (!isMissing) return false;
    switch (node.kind) {
      case "compound_statement":
      case "else_clause":
      case "case_statement": {
        let state: boolean = isMissing;
        let isReachable = true;
        for (const child of node.children) {
          if (!isReachable) break;
          state = run(child, state);
          isReachable = !leaves(child);
        }
        return state && isReachable;
      }
      case "if_statement": {
        const condition = node.child("condition");
        if (condition !== null && made(condition)) return false;
        const yes = node.child("consequence");
        const no = node.child("alternative");
        const afterYes = yes === null ? isMissing : run(yes, isMissing) && !leaves(yes);
        const afterNo = no === null ? isMissing : run(no, isMissing) && !leaves(no);
        return afterYes || afterNo;
      }
      case "switch_statement": {
        const inner = node.child("body");
        if (inner === null) return isMissing;
        const cases = inner.children.filter(({ kind }) => kind === "case_statement");
        const hasDefault = cases.some((one) => one.child("value") === null);
        // A case that falls through has the statements of the next one too.
        const left = cases.map((_one, index) => {
          let state = true;
          for (const next of cases.slice(index)) {
            state = run(next, state);
            if (!state || leaves(next) || next.children.some(({ kind }) => kind === "break_statement")) break;
          }
          return state && !cases.slice(index).some(leaves);
        });
        return left.some(Boolean) || !hasDefault;
      }
      case "while_statement":
      case "for_statement":
      case "for_range_loop":
      case "do_statement": {
        const inner = node.child("body");
        if (inner !== null) run(inner, isMissing);
        return node.kind === "do_statement" && made(node) ? false : isMissing;
      }
      case "return_statement":
        if (!made(node)) exits.push({ node, isEnd: false });
        return false;
      case "labeled_statement":
        return node.children.reduce<boolean>((state, child) => run(child, state), isMissing);
      default:
        return !made(node);
    }
  };
  if (run(body, true)) exits.push({ node: body, isEnd: true });
  return exits.filter((exit, index) => exits.findIndex(({ node }) => node === exit.node) === index);
}

/** Control never goes past it. */
function leaves(node: Syntax): boolean {
  if (node.kind === "return_statement" || node.kind === "goto_statement") return true;
  if (node.kind === "compound_statement" || node.kind === "else_clause") return node.children.some(leaves);
  if (node.kind !== "if_statement") return false;
  const [yes, no] = [node.child("consequence"), node.child("alternative")];
  return yes !== null && no !== null && leaves(yes) && leaves(no);
}
