/**
 * Which syntax each engine lacks, node by node, and what to write instead.
 * References: Espruino src/jsparse.c, src/jsutils.h (SAVE_ON_FLASH); JerryScript 2.4.0.
 */
import type { AnyNode } from 'acorn';

/** What a node is that the engine lacks; undefined for what it has. */
export type Rule = { what: string; instead: string } | undefined;

function bothSyntax(node: AnyNode): Rule {
  switch (node.type) {
    case 'ChainExpression':
      return { what: '?.', instead: 'a test: a && a.b' };
    case 'AssignmentExpression':
      return /^(\?\?|\|\||&&)=$/.test(node.operator)
        ? { what: node.operator, instead: 'the assignment in full: a = a || b' }
        : undefined;
    case 'PropertyDefinition':
    case 'MethodDefinition':
      return node.key.type === 'PrivateIdentifier'
        ? { what: 'a private member', instead: 'a name that begins with _' }
        : undefined;
    case 'StaticBlock':
      return { what: 'a static block', instead: 'the statements after the class' };
    case 'ImportExpression':
      return { what: 'import()', instead: 'require() of a module the board has' };
    default:
      return undefined;
  }
}

export function kalumaSyntax(node: AnyNode): Rule {
  if (node.type === 'Literal' && node.regex && /\(\?<[A-Za-z]/.test(node.regex.pattern))
    return { what: 'a named group', instead: 'a numbered group' };
  return bothSyntax(node);
}

export function espruinoSyntax(node: AnyNode): Rule {
  switch (node.type) {
    case 'AssignmentPattern':
      return { what: 'a default value', instead: 'if (x === undefined) x = ...' };
    case 'RestElement':
      return { what: 'a rest parameter', instead: 'arguments' };
    case 'SpreadElement':
      return { what: 'spread', instead: 'concat, apply or a loop' };
    case 'ObjectPattern':
    case 'ArrayPattern':
      return { what: 'destructuring', instead: 'a line for each variable' };
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return node.computed ? { what: 'a computed key', instead: 'object[key] = value' } : bothSyntax(node);
    case 'BinaryExpression':
      return node.operator === '**' ? { what: '**', instead: 'Math.pow' } : undefined;
    case 'AssignmentExpression':
      return node.operator === '**=' ? { what: '**=', instead: 'Math.pow' } : bothSyntax(node);
    case 'LabeledStatement':
      return { what: 'a label', instead: 'a function that returns' };
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      if (node.generator) return { what: 'a generator', instead: 'a function that is called again' };
      return node.async ? { what: 'an async function', instead: 'then()' } : undefined;
    case 'ForOfStatement':
      return node.await ? { what: 'for await', instead: 'then()' } : undefined;
    case 'TaggedTemplateExpression':
      return { what: 'a tagged template', instead: 'a call' };
    case 'WithStatement':
      return { what: 'with', instead: 'a variable' };
    case 'Literal':
      return node.bigint ? { what: 'a BigInt', instead: 'two 32-bit integers' } : undefined;
    default:
      return bothSyntax(node);
  }
}

/** What boards built SAVE_ON_FLASH lack besides. */
export function smallSyntax(node: AnyNode): Rule {
  switch (node.type) {
    case 'ArrowFunctionExpression':
      return { what: 'an arrow function', instead: 'function' };
    case 'TemplateLiteral':
      return { what: 'a template literal', instead: '+' };
    case 'ClassDeclaration':
    case 'ClassExpression':
      return { what: 'a class', instead: 'a function and its prototype' };
    case 'Property':
      if (node.kind !== 'init') return { what: 'a getter or setter', instead: 'a function' };
      if (node.method) return { what: 'a method', instead: 'name: function' };
      return node.shorthand && node.value.type === 'Identifier'
        ? { what: 'a shorthand property', instead: 'name: name' }
        : undefined;
    case 'Literal':
      return node.regex ? { what: 'a regular expression', instead: 'indexOf and split' } : undefined;
    default:
      return undefined;
  }
}
