/** From a program's text to a unit: parsed with the language of 2022, its scopes analysed. */
import { Parser, type Program } from 'acorn';
import { type AnyNode, childrenOf } from './ast.ts';
import { marker } from './marker.ts';
import type { CostModel, Unit } from './model.ts';
import { analyseScopes } from './scopes.ts';

/** Parses and analyses a text; throws acorn's SyntaxError. */
export function unitOf(source: string, known: readonly string[], model?: Pick<CostModel, 'checkText'>): Unit {
  model?.checkText(source);
  if (source.includes(marker)) throw new SyntaxError(`Invalid character U+01C2 (1:1)`);
  const program = Parser.parse(source, { ecmaVersion: 2022, sourceType: 'script', allowHashBang: false }) as Program;
  refuseModules(program as unknown as AnyNode);
  return { source, program, scopes: analyseScopes(program, known), known };
}

/** Neither board loads modules by `import()`, and Node's refusal would be an object of the host. */
function refuseModules(node: AnyNode): void {
  if (node.type === 'ImportExpression') throw new SyntaxError('Unexpected import or export statement. (1:0)');
  for (const child of childrenOf(node)) refuseModules(child);
}
