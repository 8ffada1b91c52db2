/**
 * The statements at which JerryScript's byte code records a line, as Kaluma builds it (line info on): each that begins
 * on another line than the last record's.
 *
 * Reference: jerryscript v2.4.0 jerry-core/parser/js/js-parser-statm.c (parser_parse_statements).
 */
import { type AnyNode, childrenOf, isFunction } from '../ast.ts';
import type { Unit } from '../model.ts';

const unlined = new Set(['BlockStatement', 'FunctionDeclaration', 'EmptyStatement']);

export function linedStatements({ source, program }: Unit): Set<AnyNode> {
  const lined = new Set<AnyNode>();
  const lineOf = (position: number): number => {
    let line = 1;
    for (let at = source.indexOf('\n'); at !== -1 && at < position; at = source.indexOf('\n', at + 1)) line++;
    return line;
  };
  const mark = (node: AnyNode, last: { line: number }): void => {
    const isStatement = /Statement$|^VariableDeclarator$/.test(node.type) && !unlined.has(node.type);
    if (isStatement && !(node.type === 'VariableDeclarator' && !node.init)) {
      const line = lineOf(node.start);
      if (line !== last.line) lined.add(node);
      last.line = line;
    }
    // A function's byte code begins without a line.
    const inner = isFunction(node) ? { line: 0 } : last;
    for (const child of childrenOf(node)) mark(child, inner);
  };
  mark(program as unknown as AnyNode, { line: 0 });
  return lined;
}
