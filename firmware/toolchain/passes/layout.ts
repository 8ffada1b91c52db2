/**
 * Puts names where the engine finds them soonest. Both engines search a scope's names one by one.
 *
 * Kaluma: the newest name first, 44 cycles each. A name's age is that of its first mention in the scope, inner functions
 * included, so one list at the head decides the order. The same in functions that keep variables for inner ones.
 *
 *   var u16 = new Uint16Array(0);                  (() => {
 *   function rare() { u16[0]; }           =>         var rare, hot, u16;            found first: u16, then hot
 *   function hot() { u16[1]; }                       u16 = new Uint16Array(0);
 *                                                    function rare() { u16[0]; }
 *                                                    function hot() { u16[1]; }
 *                                                  })();
 *
 * Espruino: the oldest first, 22 instructions each. Functions, and variables that begin as a number or an empty array,
 * move to the top, the hottest first; what has effects keeps its order.
 *
 * Reference: JerryScript 2.4 jerry-core/parser/js/js-scanner-util.c (the literal pool of a scope), measured on Kaluma
 * 1.2.1; Espruino src/jsvar.c (jsvFindChildFromString).
 */
import type { AnyNode, Identifier, VariableDeclaration, VariableDeclarator } from 'acorn';
import { simple } from 'acorn-walk';
import { Bundle, type default as MagicString } from 'magic-string';
import { childrenOf, type FunctionNode, isFunction } from '../nodes.ts';
import { type Hotness, hotnessOf } from './hotness.ts';
import { bundleName, type Unit } from './pass.ts';
import { isNewView } from './views.ts';

/** A function with fewer variables for inner functions is left as it is. */
const fewestCaptured = 4;

/** For Kaluma: one closure around everything, with its names in order. */
export function layOutClosure({ program, text, isDevice }: Unit): undefined {
  const hotness = hotnessOf(program, isDevice);
  const head = orderNames(program.body, text, hotness);
  simple(program, {
    Function(node) {
      const fn = node as FunctionNode;
      if (fn.body.type !== 'BlockStatement' || !isDevice(fn)) return;
      const { body } = fn.body;
      if (capturedNames(body).size < fewestCaptured) return;
      const parameters = new Set(fn.params.map((parameter) => (parameter.type === 'Identifier' ? parameter.name : '')));
      text.appendLeft(fn.body.start + 1, orderNames(body, text, hotness, parameters));
    },
  });
  text.prepend(`(() => {\n${head}`);
  text.append('})();\n');
}

/**
 * Takes the keywords from the declarations of captured names, and returns the declaration of them all that belongs at
 * the head, the name to be found first at its end.
 */
function orderNames(
  body: readonly AnyNode[],
  text: MagicString,
  hotness: Hotness,
  parameters: ReadonlySet<string> = new Set(),
): string {
  const captured = capturedNames(body);
  const names: string[] = [];
  for (const statement of body) {
    if (statement.type === 'FunctionDeclaration') {
      if (captured.has(statement.id!.name)) names.push(statement.id!.name);
    } else if (statement.type === 'VariableDeclaration') {
      const ids = plainNames(statement);
      if (!ids?.some((name) => captured.has(name)) || ids.some((name) => parameters.has(name))) continue;
      names.push(...ids);
      toAssignments(statement, text);
    }
  }
  if (names.length < 2) return names.length === 0 ? '' : `var ${names[0]};\n`;
  const order = [...new Set(names)].map((name, index) => ({ name, index, looked: hotness.ofName(name) }));
  order.sort((a, b) => a.looked - b.looked || a.index - b.index);
  return `var ${order.map(({ name }) => name).join(', ')};\n`;
}

/** The names of a declaration without patterns; undefined for one with. */
function plainNames({ declarations }: VariableDeclaration): string[] | undefined {
  const names = declarations.map(({ id }) => (id.type === 'Identifier' ? id.name : undefined));
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** `var a = 1, b, c = 2;`  =>  `a = 1, c = 2;` */
function toAssignments(statement: VariableDeclaration, text: MagicString): void {
  const given = statement.declarations.filter(({ init }) => init);
  if (given.length === 0) {
    text.remove(statement.start, statement.end);
    return;
  }
  let from = statement.start;
  for (const declarator of given) {
    text.remove(from, declarator.start);
    if (from !== statement.start) text.appendLeft(from, ', ');
    from = declarator.end;
  }
  const last = statement.declarations.at(-1)!;
  if (from < last.end) text.remove(from, last.end);
}

/** Names mentioned by functions inside these statements: candidates for what a scope keeps for them. */
function capturedNames(body: readonly AnyNode[]): Set<string> {
  const names = new Set<string>();
  const visit = (node: AnyNode, inner: boolean): void => {
    if (node.type === 'Identifier' && inner) names.add(node.name);
    const isInner = isFunction(node);
    for (const child of childrenOf(node)) if (!isInner || child !== node.id) visit(child, inner || isInner);
  };
  for (const statement of body) visit(statement, false);
  const declared = new Set(body.flatMap(declaredBy));
  return new Set([...names].filter((name) => declared.has(name)));
}

function declaredBy(statement: AnyNode): string[] {
  if (statement.type === 'FunctionDeclaration') return [statement.id!.name];
  return statement.type === 'VariableDeclaration' ? (plainNames(statement) ?? []) : [];
}

interface Piece {
  name: string;
  start: number;
  end: number;
  isVariable: boolean;
}

/** For Espruino: what can be declared without effects first, the hottest at the top. */
export function layOutStatements({ program, text, isDevice }: Unit): Bundle {
  const hotness = hotnessOf(program, isDevice);
  const pieces: Piece[] = [];
  const effects: AnyNode[] = [];
  for (const statement of program.body) {
    // A variable of the program's that begins after the first effect may have been given a value before.
    const mayMove = effects.length === 0 || isDevice(statement);
    if (statement.type === 'FunctionDeclaration') {
      pieces.push({ name: statement.id!.name, start: statement.start, end: statement.end, isVariable: false });
    } else if (statement.type === 'VariableDeclaration' && mayMove && statement.declarations.every(isPlain)) {
      for (const { id, start, end } of statement.declarations)
        pieces.push({ name: (id as Identifier).name, start, end, isVariable: true });
    } else effects.push(statement);
  }
  pieces.sort((a, b) => hotness.ofName(b.name) - hotness.ofName(a.name) || a.start - b.start);

  const laidOut = new Bundle({ separator: '' });
  const add = (content: MagicString): void => void laidOut.addSource({ filename: bundleName, content });
  pieces.forEach(({ start, end, isVariable }, i) => {
    const content = text.snip(start, end);
    if (isVariable) {
      content.prepend(pieces[i - 1]?.isVariable ? ', ' : 'var ');
      if (!pieces[i + 1]?.isVariable) content.append(';');
    }
    add(content.append(isVariable && pieces[i + 1]?.isVariable ? '' : '\n'));
  });
  for (const { start, end } of effects) add(text.snip(start, end).append('\n'));
  return laidOut;
}

/** A declarator whose value is the same wherever it stands. */
function isPlain({ id, init }: VariableDeclarator): boolean {
  if (id.type !== 'Identifier') return false;
  if (!init || init.type === 'Literal') return true;
  return init.type === 'NewExpression' && isNewView(init) && init.arguments.every(({ type }) => type === 'Literal');
}
