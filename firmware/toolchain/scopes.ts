/** What the subset check asks about names: which a program declares, which hide another, which a function keeps. */
import type { AnyNode, Identifier, Pattern, Program } from 'acorn';
import { ancestor, base, simple } from 'acorn-walk';

/** Every name that the program binds somewhere: it means no builtin. */
export function declaredNames(program: Program): Set<string> {
  const names = new Set<string>();
  const add = (pattern: Pattern): void => {
    for (const { name } of boundBy(pattern)) names.add(name);
  };
  simple(program, {
    VariableDeclarator: ({ id }) => add(id),
    Function({ id, params }) {
      if (id) names.add(id.name);
      params.forEach(add);
    },
    Class({ id }) {
      if (id) names.add(id.name);
    },
    CatchClause({ param }) {
      if (param) add(param);
    },
  });
  return names;
}

/** The identifiers that a pattern binds. */
export function boundBy(pattern: Pattern): Identifier[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        boundBy(property.type === 'Property' ? property.value : property.argument),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? boundBy(element) : []));
    case 'RestElement':
      return boundBy(pattern.argument);
    case 'AssignmentPattern':
      return boundBy(pattern.left);
    default:
      return [];
  }
}

/** Names of properties and methods that the program itself makes. */
export function definedProperties(program: Program): Set<string> {
  const names = new Set<string>();
  const add = (key: AnyNode): void => {
    if (key.type === 'Identifier') names.add(key.name);
  };
  simple(program, {
    Property: ({ key }) => add(key),
    MethodDefinition: ({ key }) => add(key),
    PropertyDefinition: ({ key }) => add(key),
    AssignmentExpression({ left }) {
      if (left.type === 'MemberExpression' && !left.computed) add(left.property);
    },
  });
  return names;
}

const isFunction = (node: AnyNode): boolean =>
  node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';

const opensBlock = (node: AnyNode): boolean =>
  ['BlockStatement', 'ForStatement', 'ForInStatement', 'ForOfStatement', 'SwitchStatement'].includes(node.type);

/**
 * Block-scoped declarations whose name an enclosing block of the same function also declares. Where blocks have no
 * scope, the inner one overwrites the outer.
 */
export function blockShadows(program: Program): AnyNode[] {
  const declared = new Map<AnyNode, Set<string>>();
  const shadows: AnyNode[] = [];
  ancestor(program, {
    VariableDeclaration(node, _, ancestors) {
      const outside = ancestors.slice(0, -1) as AnyNode[];
      const nearestFunction = outside.findLastIndex(isFunction);
      const blocks = outside
        .slice(Math.max(nearestFunction, 0))
        .filter((n) => isFunction(n) || n.type === 'Program' || opensBlock(n));
      const own = node.kind === 'var' ? blocks[0]! : blocks.at(-1)!;
      const names = declared.get(own) ?? new Set<string>();
      declared.set(own, names);
      for (const { id } of node.declarations) {
        for (const { name } of boundBy(id)) {
          const outer = blocks.slice(0, blocks.indexOf(own));
          if (node.kind !== 'var' && outer.some((block) => declaresLexically(block, name))) shadows.push(id);
          names.add(name);
        }
      }
    },
  });
  return shadows;
}

/** Whether the block's own statements declare `name`, anywhere in the block's body. */
function declaresLexically(block: AnyNode, name: string): boolean {
  if (isFunction(block) && 'params' in block)
    return block.params.some((pattern) => boundBy(pattern).some((id) => id.name === name));
  const statements: readonly AnyNode[] =
    block.type === 'Program' || block.type === 'BlockStatement'
      ? block.body
      : block.type === 'ForStatement'
        ? block.init
          ? [block.init]
          : []
        : block.type === 'ForInStatement' || block.type === 'ForOfStatement'
          ? [block.left]
          : [];
  return statements.some(
    (statement) =>
      statement.type === 'VariableDeclaration' &&
      statement.declarations.some(({ id }) => boundBy(id).some((bound) => bound.name === name)),
  );
}

/** `for (let i ...)` whose body makes a function that uses `i`: with one binding for all rounds it sees the last. */
export function capturesLoopVariable(program: Program): AnyNode[] {
  const found: AnyNode[] = [];
  simple(program, {
    ForStatement(node) {
      if (node.init?.type !== 'VariableDeclaration' || node.init.kind === 'var') return;
      const names = new Set(node.init.declarations.flatMap(({ id }) => boundBy(id).map(({ name }) => name)));
      simple(node.body, {
        Function(inner) {
          if (mentions(inner.body, names)) found.push(inner.body);
        },
      });
    },
  });
  return found;
}

function mentions(node: AnyNode, names: ReadonlySet<string>): boolean {
  let found = false;
  simple(
    node,
    {
      Identifier({ name }) {
        if (names.has(name)) found = true;
      },
    },
    base,
  );
  return found;
}
