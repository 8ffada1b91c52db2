/**
 * Where the properties of a program's objects stand in their lists, as far as the text shows: object literals, fields
 * set through `this`, classes. Both engines search an object's properties one by one.
 */
import type { Program } from 'acorn';
import { type AnyNode, childrenOf } from './ast.ts';

export interface Place {
  /** Properties of its object that were added before it, and after it. */
  before: number;
  after: number;
}

const nameOfKey = (key: AnyNode): string | null =>
  key.type === 'Identifier' ? (key.name as string) : key.type === 'Literal' ? String(key.value) : null;

/** Means over all objects of the program that have a property of the name. */
export function propertyPlaces(program: Program): Map<string, Place> {
  const found = new Map<string, Place[]>();
  const record = (names: readonly string[], extraBefore = 0, extraAfter = 0) => {
    names.forEach((name, at) => {
      const places = found.get(name) ?? [];
      places.push({ before: at + extraBefore, after: names.length - 1 - at + extraAfter });
      found.set(name, places);
    });
  };
  /** Names set through `this` in a function, nested functions with a `this` of their own left out. */
  const fieldsOf = (node: AnyNode, names: string[]): string[] => {
    if (node.type === 'AssignmentExpression') {
      const left = node.left as AnyNode;
      if (left.type === 'MemberExpression' && !left.computed && (left.object as AnyNode).type === 'ThisExpression') {
        const name = (left.property as AnyNode).name as string;
        if (!names.includes(name)) names.push(name);
      }
    }
    for (const child of childrenOf(node))
      if (child.type !== 'FunctionExpression' && child.type !== 'FunctionDeclaration') fieldsOf(child, names);
    return names;
  };
  const visit = (node: AnyNode): void => {
    if (node.type === 'ObjectExpression') {
      record((node.properties as AnyNode[]).map((p) => (p.key ? nameOfKey(p.key as AnyNode) : null) ?? ''));
    } else if (node.type === 'ClassBody') {
      const members = node.body as AnyNode[];
      const fields: string[] = [];
      for (const member of members) {
        if (member.type === 'PropertyDefinition' && !member.static) fields.push(nameOfKey(member.key as AnyNode) ?? '');
        if (member.kind === 'constructor') fieldsOf((member.value as AnyNode).body as AnyNode, fields);
      }
      record(fields);
      // A method is found after every field of the object was passed.
      record(
        members.filter((m) => m.type === 'MethodDefinition' && !m.static).map((m) => nameOfKey(m.key as AnyNode) ?? ''),
        fields.length,
        fields.length,
      );
    } else if (node.type === 'FunctionDeclaration') {
      const fields = fieldsOf(node.body as AnyNode, []);
      if (fields.length > 0) record(fields);
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(program as unknown as AnyNode);
  const means = new Map<string, Place>();
  for (const [name, places] of found) {
    const mean = (pick: (place: Place) => number) => places.reduce((sum, p) => sum + pick(p), 0) / places.length;
    means.set(name, { before: mean((p) => p.before), after: mean((p) => p.after) });
  }
  return means;
}

/** Names that stand for a getter or a setter somewhere in the program. */
export function accessorNames(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: AnyNode): void => {
    if ((node.type === 'Property' || node.type === 'MethodDefinition') && (node.kind === 'get' || node.kind === 'set'))
      names.add(nameOfKey(node.key as AnyNode) ?? '');
    for (const child of childrenOf(node)) visit(child);
  };
  visit(program as unknown as AnyNode);
  return names;
}

/** `new Date(year, month, ...)`: the time of a calendar's fields, unlike a number of milliseconds, is searched for. */
export function isDateOfFields(node: AnyNode): boolean {
  return (node.callee as AnyNode).name === 'Date' && (node.arguments as AnyNode[]).length > 1;
}
