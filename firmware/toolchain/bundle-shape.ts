/** What of a bundle's text takes memory once it runs: its functions, and what they keep. */
import { type AnyNode, type ObjectExpression, type Program, parse } from 'acorn';
import { childrenOf, isFunction } from './nodes.ts';

export interface Shape {
  functions: FunctionShape[];
  /** Top-level variables and functions. */
  globals: number;
  /** Variables of functions with inner functions: kept for those. */
  kept: number;
  /** Names of the properties of objects with methods that functions make; methods count as functions. */
  properties: string[];
}

interface FunctionShape {
  /** Of its own text, without that of inner functions. */
  characters: number;
  parameters: number;
  isInner: boolean;
}

/** A function while its inside is looked at. */
interface Open extends FunctionShape {
  variables: number;
  hasInner: boolean;
}

export function shapeOf(code: string): Shape {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'script' });
  const functions: Open[] = [];
  const properties: string[] = [];
  const visit = (node: AnyNode, outer: Open | null): void => {
    let within = outer;
    if (isFunction(node)) {
      const characters = node.end - node.start;
      within = { characters, parameters: node.params.length, isInner: outer !== null, variables: 0, hasInner: false };
      functions.push(within);
      if (outer) {
        outer.characters -= characters;
        outer.hasInner = true;
      }
    } else if (outer && node.type === 'VariableDeclarator') outer.variables++;
    else if (outer && node.type === 'ObjectExpression') properties.push(...propertiesBesideMethods(node));
    for (const child of childrenOf(node)) visit(child, within);
  };
  visit(program, null);
  const kept = functions.reduce((sum, { hasInner, variables }) => sum + (hasInner ? variables : 0), 0);
  return { functions, globals: globalsOf(program), kept, properties };
}

/** Names of the values beside an object's methods; none where it has no methods. */
function propertiesBesideMethods({ properties }: ObjectExpression): string[] {
  const values = properties.flatMap((property) =>
    property.type === 'Property' && !isFunction(property.value) && property.key.type === 'Identifier'
      ? [property.key.name]
      : [],
  );
  return values.length === properties.length ? [] : values;
}

function globalsOf(program: Program): number {
  return program.body.reduce((count, statement) => {
    if (statement.type === 'VariableDeclaration') return count + statement.declarations.length;
    return count + (statement.type === 'FunctionDeclaration' ? 1 : 0);
  }, 0);
}
