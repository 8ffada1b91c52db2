/**
 * Language that V8 knows and Espruino 2v29 does not. Espruino parses as it executes: what it does not know ends the run
 * where the statement is reached, and what is passed over or never called does no harm. So a statement gets an error in
 * front of it; the text of functions is looked at apart, statement by statement.
 *
 * Words and places were recorded from the engine (test/fixtures/syntax-forms.json); its parser is espruino/Espruino
 * src/jsparse.c. ReferenceErrors are in V8's words: the REPL says them in Espruino's (sim/board/espruino/error-texts.ts).
 */
import { type AnyNode, childrenOf, isFunction, namesOf } from '../ast.ts';
import type { Refusal } from '../model.ts';

const syntax = (message: string): Refusal => ({ name: 'SyntaxError', message });
const undeclared = (name: string): Refusal => ({ name: 'ReferenceError', message: `${name} is not defined` });
const expected = (got: string, what = 'EOF'): Refusal => syntax(`Got ${got} expected ${what}`);

/** Why Espruino stops at a statement; null where it executes it. Statements inside have answers of their own. */
export function espruinoRefusal(statement: AnyNode): Refusal | null {
  return firstIn(statement, null);
}

const isStatement = (node: AnyNode): boolean =>
  node.type === 'BlockStatement' || node.type === 'SwitchCase' || /(Statement|Declaration)$/.test(node.type);

function firstIn(node: AnyNode, parent: AnyNode | null): Refusal | null {
  const own = refusalOf(node, parent);
  if (own !== null) return own;
  for (const child of childrenOf(node)) {
    if (isFunction(node) && child === node.body) continue;
    const isPart = child.type === 'VariableDeclaration' && /^For/.test(node.type);
    if (isStatement(child) && !isPart) continue;
    const inner = firstIn(child, node);
    if (inner !== null) return inner;
  }
  return null;
}

const assignments: Readonly<Record<string, string>> = { '??=': "'='", '||=': "'='", '&&=': "'='", '**=': '*=' };

function refusalOf(node: AnyNode, parent: AnyNode | null): Refusal | null {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return functionRefusal(node, parent);
    case 'Property':
      return node.computed ? expected("'['", 'ID') : null;
    case 'MethodDefinition':
    case 'PropertyDefinition':
      if ((node.key as AnyNode).type === 'PrivateIdentifier') return expected("'#'", "'}'");
      return node.computed ? expected("'['", "'}'") : null;
    case 'StaticBlock':
      return expected("'{'", 'ID');
    case 'VariableDeclarator':
      return patternRefusal(node.id as AnyNode);
    case 'VariableDeclaration':
      return parent?.type === 'ForOfStatement' || parent?.type === 'ForInStatement' ? headRefusal(node) : null;
    case 'AssignmentExpression':
      if ((node.left as AnyNode).type === 'ArrayPattern')
        return { name: 'Error', message: 'Unable to assign value to non-reference Array' };
      if ((node.left as AnyNode).type === 'ObjectPattern') return patternRefusal(node.left as AnyNode);
      return (node.operator as string) in assignments ? expected(assignments[node.operator as string]!) : null;
    case 'BinaryExpression':
      return node.operator === '**' ? expected("'*'") : null;
    case 'SpreadElement':
      return expected("'.'", parent?.type === 'ObjectExpression' ? 'ID' : 'EOF');
    case 'ChainExpression':
      return expected("'.'");
    case 'MetaProperty':
      return expected("'.'");
    case 'LabeledStatement':
      return undeclared((node.label as AnyNode).name as string);
    case 'WithStatement':
      return undeclared('with');
    case 'SwitchStatement':
      return switchRefusal(node.cases as AnyNode[]);
    case 'TaggedTemplateExpression':
      return (node.tag as AnyNode).type === 'Identifier' ? syntax('Tagged template literals not supported') : null;
    case 'Literal':
      return literalRefusal(node);
    default:
      return null;
  }
}

function functionRefusal(fn: AnyNode, parent: AnyNode | null): Refusal | null {
  const isMethod = parent?.type === 'Property' && parent.method === true;
  if (fn.async) {
    if (isMethod) return expected(`ID:${(parent.key as AnyNode).name}`, "','");
    return undeclared('async');
  }
  if (fn.generator) {
    if (parent?.type === 'MethodDefinition') return expected("'*'", "'}'");
    return expected("'*'", isMethod || fn.id ? 'ID' : "'('");
  }
  for (const parameter of fn.params as AnyNode[]) {
    if (parameter.type === 'ObjectPattern') return expected("'{'", 'ID');
    if (parameter.type === 'ArrayPattern') return expected("'['", 'ID');
    if (parameter.type === 'RestElement') return expected("'.'", 'ID');
    if (parameter.type === 'AssignmentPattern')
      return fn.type === 'ArrowFunctionExpression' ? expected('=>') : expected("'='", "','");
  }
  return null;
}

/** The names of a pattern are read as an expression's, the first of them first. */
function patternRefusal(pattern: AnyNode): Refusal | null {
  if (pattern.type !== 'ArrayPattern' && pattern.type !== 'ObjectPattern') return null;
  const property = (pattern.properties as AnyNode[] | undefined)?.[0];
  if (property?.type === 'Property') return undeclared((property.key as AnyNode).name as string);
  const name = namesOf(pattern as never)[0]?.name;
  return name === undefined ? expected("'='") : undeclared(name);
}

function headRefusal(declaration: AnyNode): Refusal | null {
  const { type } = (declaration.declarations as AnyNode[])[0]!.id as AnyNode;
  if (type === 'ArrayPattern') return expected("'['", "';'");
  return type === 'ObjectPattern' ? expected("'{'", "';'") : null;
}

function switchRefusal(cases: readonly AnyNode[]): Refusal | null {
  const other = cases.findIndex(({ test }) => test === null);
  return other === -1 || other === cases.length - 1 ? null : syntax('CASE after DEFAULT unsupported');
}

function literalRefusal(node: AnyNode): Refusal | null {
  if (node.bigint !== undefined) return undeclared('n');
  const regex = node.regex as unknown as { pattern: string; flags: string } | undefined;
  if (regex) {
    if (regex.flags.includes('s')) return undeclared('s');
    return /\\[1-9]/.test(regex.pattern) ? { name: 'Error', message: 'Backreferences not supported' } : null;
  }
  if (typeof node.value === 'string' && /\\u\{/.test(node.raw as string))
    return { name: 'Error', message: 'Invalid escape sequence' };
  return null;
}
