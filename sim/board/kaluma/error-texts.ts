/**
 * What Kaluma prints of an uncaught error: JerryScript's words for it, and the lines that it came out of.
 *
 * The models run on V8 and parse with acorn, whose words these tables turn into JerryScript's. Recorded from Kaluma
 * 1.2.1, executed in rp2040js (test/fixtures/kaluma-repl.json). A program that reads `message` itself still sees V8's.
 */
import type { Outcome } from '../../engine/engine.ts';

type Failure = Extract<Outcome, { kind: 'error' }>;

const resource = '<anonymous>';
const mostTraceLines = 32;

const thrownTexts: readonly (readonly [RegExp, string])[] = [
  [/^Cannot read propert(?:y|ies) of (\w+) \(reading '(.*)'\)$/, "Cannot read property '$2' of $1"],
  [/^Cannot destructure property '(.*)' of '.*' as it is (\w+)\.$/, "Cannot read property '$1' of $2"],
  [/ is not a function$/, 'Expected a function.'],
  [/^\(intermediate value\) is not a constructor$/, "Arrow functions cannot be invoked with 'new'."],
  [/ is not a constructor$/, 'Invalid type for constructor call.'],
  [/^object null is not iterable \(cannot read property (.*)\)$/, "Cannot read property '$1' of null"],
  [/ is not iterable$/, 'Iterator is not function'],
  [/^Reduce of empty array with no initial value$/, 'Reduce of empty array with no initial value.'],
  [
    /^Cannot access '.*' before initialization$/,
    'Variables declared by let/const must be initialized before reading their value.',
  ],
  [/^Class extends value .* is not a constructor or null$/, 'Class extends value is not a constructor or null'],
  [/^Class constructor \S+ cannot be invoked without 'new'$/, "Class constructor cannot be invoked without 'new'."],
  [/^Assignment to constant variable\.$/, 'Constant bindings cannot be reassigned.'],
  [/^Cannot use 'in' operator/, "Expected an object in 'in' check."],
  [/^Right-hand side of 'instanceof'/, "Expected an object in 'instanceof' check."],
  [/^Cannot convert a Symbol value to a (\w+)$/, 'Cannot convert a Symbol value to a $1.'],
  [/^Cannot mix BigInt and other types/, 'Cannot convert a BigInt value to a number'],
  [/cannot be converted to a BigInt because it is not an integer$/, 'Only integer numbers can be converted to BigInt'],
  [/^Cannot add property .*not extensible$|^Cannot assign to read only property/, 'Invalid argument type.'],
  [/^Invalid array length$/, 'Invalid array length.'],
  [/^Invalid typed array length/, 'Invalid typedarray length.'],
  [/^(?:Invalid array buffer length|Array buffer allocation failed)$/, 'Invalid ArrayBuffer length.'],
  [/^byte length of \w+ should be a multiple of/, 'Invalid length.'],
  [/^Invalid count value/, 'Invalid count value'],
  [/^toFixed\(\) digits/, 'Fraction digits must be between 0 and 100.'],
  [/ in JSON at position|^Unexpected end of JSON input|is not valid JSON$/, 'Invalid JSON format.'],
  [/^Invalid regular expression: .*: (Unterminated group)$/, '$1'],
  [/^Invalid regular expression: .*: (.*)$/, '$1.'],
  [/^Identifier '.*' has already been declared$/, 'Local variable is redeclared.'],
  [/^First argument to DataView constructor/, 'Argument buffer is not an object.'],
  [/^Reflect\.ownKeys called on non-object$/, 'Argument is not an Object.'],
  [/^Object\.defineProperty called on non-object$/, 'Argument is not an object.'],
  [/^Strict mode code may not include a with statement$/, 'With statement not allowed in strict mode.'],
  [/^Delete of an unqualified identifier in strict mode\.$/, 'Deleting identifier is not allowed in strict mode.'],
  [/^Decimals with leading zeros are not allowed/, 'Octal numbers are not allowed in strict mode.'],
  [/^Duplicate parameter name not allowed/, 'Non-strict argument definition.'],
  [/^Unexpected eval or arguments in strict mode$/, 'Eval cannot be assigned to in strict mode.'],
  [/^Unexpected strict mode reserved word$/, 'Identifier name is reserved in strict mode.'],
];

const syntaxTexts: readonly (readonly [RegExp, string])[] = [
  [/^Unterminated (?:string constant|template)$/, 'Unterminated string literal.'],
  [/^Unterminated regular expression$/, 'Unterminated regexp literal.'],
  [/^Unexpected character/, 'Invalid (unexpected) character.'],
  [/^Assigning to rvalue$/, 'Invalid left-hand side in assignment.'],
  [/^'return' outside of function$/, 'Return statement must be inside a function body.'],
  [/^Unsyntactic break$/, 'Break statement must be inside a loop or switch.'],
  [/^Unsyntactic continue$/, 'Continue statement must be inside a loop.'],
  [/^'new\.target' can only be used/, 'new.target expression is not allowed here.'],
  [/^Identifier directly after number$/, 'Identifier expected.'],
  [/^'import' and 'export' may appear only|^Cannot use 'import\.meta'/, 'Unexpected import or export statement.'],
  [/^Expected number in radix 16$/, 'Invalid hexadecimal digit.'],
  [/^Invalid number$/, 'Missing exponent part.'],
  [/^Missing catch or finally clause$/, 'Catch or finally block expected.'],
  [/^let is disallowed as a lexically bound name$/, 'Identifier expected.'],
  [/^The keyword '.*' is reserved$/, 'Identifier name is reserved in strict mode.'],
  [/^'super' keyword outside a method$/, 'Super is not allowed to be used here.'],
  [/^Identifier '.*' has already been declared$/, 'Local variable is redeclared.'],
];

/** Behind these a name must come. */
const beforeNames = /(?:^|[^\w$])(?:var|let|const|class|function)\s*$|[\w$)\]]\.\s*$/;
const beforeParentheses = /(?:^|[^\w$.])(?:while|for|if|switch|catch|with)\s*$/;
/** Behind these a value or a statement must come. */
const beforeValues =
  /(?:^|[^\w$.)\]}'"`\s])\s*$|(?:^|[^\w$.])(?:return|new|throw|case|typeof|void|delete|else|do|in|of)\s*$/;

function unexpectedToken(source: string, offset: number): string {
  const before = source.slice(0, offset);
  if (source[offset] === '}' && openBracket(before) === '') return "Unexpected '}' token.";
  if (/(?:^|[^\w$])const\s+[\w$]+\s*$/.test(before)) return 'Value assignment is expected after a const declaration.';
  if (/(?:^|[^\w$.])class\b[^{}]*\{\s*$/.test(before)) return 'Property identifier expected.';
  if (beforeNames.test(before)) return 'Identifier expected.';
  if (beforeParentheses.test(before)) return "Expected '(' token.";
  if (beforeValues.test(before)) return 'Primary expression expected.';
  switch (openBracket(before)) {
    case '(':
      return "Expected ')' token.";
    case '[':
      return "Expected ',' or ']' after an array item.";
    case '{':
      return /\(\s*\{[^{}]*$/.test(before) ? "Expected ':' token." : "Expected ';' token.";
    default:
      return "Expected ';' token.";
  }
}

/** The innermost bracket that is open at the end; nothing when none is. */
function openBracket(text: string): string {
  const open: string[] = [];
  for (const character of text) {
    if ('([{'.includes(character)) open.push(character);
    else if (')]}'.includes(character)) open.pop();
  }
  return open.at(-1) ?? '';
}

function translated(texts: typeof thrownTexts, message: string): string | null {
  for (const [pattern, text] of texts) {
    const found = pattern.exec(message);
    if (found) return text.replace(/\$(\d)/g, (_, group: string) => found[Number(group)] ?? '');
  }
  return null;
}

/** The positions that JerryScript names where acorn names another: from the column and the text before it. */
function columnOf({ message, column = 1 }: Failure, line: string): number {
  if (/^Unterminated (?:template|regular expression)$/.test(message)) return column - 1;
  if (message === 'Expected number in radix 16') return column - 2;
  if (message === 'Assigning to rvalue') return line.indexOf('=', column - 1) + 1 || column;
  if (message === 'Unsyntactic break') return column + 'break'.length;
  if (message === 'Missing catch or finally clause') return line.length + 1;
  return column;
}

function syntaxText(failure: Failure, source: string): string {
  const { message, line, column } = failure;
  const lines = source.split('\n');
  const before = lines.slice(0, (line ?? 1) - 1);
  const offset = before.reduce((sum, text) => sum + text.length + 1, 0) + (column ?? 1) - 1;
  const text = message === 'Unexpected token' ? unexpectedToken(source, offset) : translated(syntaxTexts, message);
  return `${text ?? message} [${resource}:${line}:${columnOf(failure, lines[before.length] ?? '')}]`;
}

/** The lines that are printed, each in red: the error, and with `showsTrace` where it came from. */
export function errorLines(failure: Failure, source: string, showsTrace: boolean): string[] {
  const { name, message, column, lines = [] } = failure;
  const text = column === undefined ? (translated(thrownTexts, message) ?? message) : syntaxText(failure, source);
  const first = text === '' ? name : name === '' ? text : `${name}: ${text}`;
  if (!showsTrace || name === '' || column !== undefined) return [first];
  return [first, ...lines.slice(0, mostTraceLines).map((line) => `  at ${resource}:${line}`)];
}
