/** A generated program of the native subset as C, so that gcc compiles what our compiler compiles. */
import type { BlockStatement, Expression, Node, Statement } from 'acorn';
import { parse } from 'acorn';

/** Functions called `PREFIX_name`, with the arena as their first parameter. */
export function toC(program: string, prefix: string): string {
  const tree = parse(program, { ecmaVersion: 2022, sourceType: 'module' });
  const functions: { signature: string; body: string }[] = [];
  for (const node of tree.body) {
    const declared = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (declared?.type !== 'FunctionDeclaration') continue;
    const parameters = declared.params.map((param) => (param.type === 'Identifier' ? `int32_t ${param.name}` : ''));
    const signature = `int32_t ${prefix}_${declared.id!.name}(${['uint8_t *arena', ...parameters].join(', ')})`;
    functions.push({ signature, body: new Printer(prefix).block(declared.body) });
  }
  return functions.map(({ signature, body }) => `${signature} ${body.replace(/}$/, 'return 0; }')}`).join('\n');
}

const HELPERS: Record<string, string> = { highestBit: 'highest_bit', lowestBit: 'lowest_bit' };

/** What the translation calls. */
export const C_PRELUDE = `#include <stdint.h>
static int32_t highest_bit(int32_t x) { return 31 - __builtin_clz(x); }
static int32_t lowest_bit(int32_t x) { return __builtin_ctz(x); }
#define U8(i) (arena[i])
#define U16(i) (((uint16_t *)arena)[i])
#define U32(i) (((int32_t *)arena)[i])
`;

class Printer {
  private readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  block(node: BlockStatement): string {
    return `{ ${node.body.map((statement) => this.statement(statement)).join('\n')} }`;
  }

  private statement(node: Statement): string {
    switch (node.type) {
      case 'BlockStatement':
        return this.block(node);
      case 'VariableDeclaration':
        return node.declarations
          .map(({ id, init }) => `int32_t ${id.type === 'Identifier' ? id.name : ''} = ${this.expression(init!)};`)
          .join(' ');
      case 'ExpressionStatement':
        return `${this.expression(node.expression)};`;
      case 'IfStatement': {
        const otherwise = node.alternate ? ` else ${this.statement(node.alternate)}` : '';
        return `if (${this.expression(node.test)}) ${this.statement(node.consequent)}${otherwise}`;
      }
      case 'ForStatement': {
        const init = node.init ? this.statement(node.init as Statement) : ';';
        return `for (${init} ${this.expression(node.test!)}; ${this.expression(node.update!)}) ${this.statement(node.body)}`;
      }
      case 'WhileStatement':
        return `while (${this.expression(node.test)}) ${this.statement(node.body)}`;
      case 'ReturnStatement':
        return `return ${this.expression(node.argument!)};`;
      case 'BreakStatement':
        return 'break;';
      case 'ContinueStatement':
        return 'continue;';
      default:
        throw new Error(`no C for ${node.type}`);
    }
  }

  private expression(node: Expression): string {
    const of = (child: Node): string => this.expression(child as Expression);
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'number'
          ? `(int32_t)${node.value}${node.value > 0x7fffffff ? 'u' : ''}`
          : `${node.raw}`;
      case 'Identifier':
        return node.name;
      case 'UnaryExpression':
        return `(${node.operator}${of(node.argument)})`;
      case 'UpdateExpression':
        return `${of(node.argument)}${node.operator}`;
      case 'ConditionalExpression':
        return `(${of(node.test)} ? ${of(node.consequent)} : ${of(node.alternate)})`;
      case 'LogicalExpression':
        return `(${of(node.left)} ${node.operator} ${of(node.right)})`;
      case 'AssignmentExpression':
        return `${of(node.left)} ${node.operator} ${of(node.right)}`;
      case 'BinaryExpression':
        return this.binary(node.operator, of(node.left), of(node.right), node.left, node.right);
      case 'MemberExpression':
        return `${(node.object as { name: string }).name.toUpperCase()}(${of(node.property)})`;
      case 'CallExpression': {
        const args = node.arguments.map(of);
        const callee = node.callee;
        if (callee.type === 'Identifier') {
          const helper = HELPERS[callee.name];
          return helper
            ? `${helper}(${args.join(', ')})`
            : `${this.prefix}_${callee.name}(${['arena', ...args].join(', ')})`;
        }
        const name = callee.type === 'MemberExpression' ? (callee.property as { name: string }).name : '';
        const [a, b] = args;
        if (name === 'imul') return `(${a} * ${b})`;
        return `(${a} ${name === 'min' ? '<' : '>'} ${b} ? ${a} : ${b})`;
      }
      case 'ParenthesizedExpression':
        return `(${of(node.expression)})`;
      default:
        throw new Error(`no C for ${node.type}`);
    }
  }

  private binary(operator: string, left: string, right: string, leftNode: Node, rightNode: Node): string {
    switch (operator) {
      case '===':
      case '!==':
        return `(${left} ${operator.slice(0, 2)} ${right})`;
      case '>>>':
        return `((int32_t)((uint32_t)${left} >> (${right} & 31)))`;
      case '<<':
      case '>>':
        return `(${left} ${operator} (${right} & 31))`;
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const cast = isUnsigned(leftNode) || isUnsigned(rightNode) ? '(uint32_t)' : '';
        return `(${cast}${left} ${operator} ${cast}${right})`;
      }
      default:
        return `(${left} ${operator} ${right})`;
    }
  }
}

/** `x >>> 0`, as a side of a comparison. */
function isUnsigned(node: Node): boolean {
  if (node.type !== 'BinaryExpression') return false;
  const { operator, right } = node as import('acorn').BinaryExpression;
  return operator === '>>>' && right.type === 'Literal' && right.value === 0;
}
