/**
 * A profile in terms of the user's files: what each source line took and each function, by the bundle's source map.
 * What a pass of the bundler put in the place of a call counts for the lines it came from.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageRoot } from '../../boards/root.ts';
import { SourceMap } from '../../firmware/toolchain/source-map.ts';
import type { Call } from '../../sim/engine/profile.ts';
import type { ProfiledRun } from './run.ts';

/** A line of a file; from 1. Line 0 of a source in brackets is what belongs to no file. */
export interface LineCost {
  source: string;
  line: number;
  /** The line itself, trimmed; empty where the file cannot be read. */
  text: string;
  cycles: number;
  /** Garbage-collected memory of the engine that was asked for here; null where it is not counted (Espruino). */
  allocatedBytes: number | null;
}

export interface FunctionCost {
  name: string;
  source: string;
  line: number;
  /** In the function itself, and with all that it called. */
  selfCycles: number;
  totalCycles: number;
}

/** A call as a person reads it. */
export interface CallFrame {
  name: string;
  source: string;
  line: number;
  column: number;
}

/** Where cycles go that are no line's. */
const engineSource = '(engine)';
const callSource = '(the call)';
const boardSource = '(the board)';

export class ProfilePlaces {
  readonly #run: ProfiledRun;
  readonly #map: SourceMap;
  readonly #root: string;
  /** Offsets at which the bundle's lines begin. */
  readonly #lineStarts: number[];
  readonly #files = new Map<string, readonly string[]>();

  constructor(run: ProfiledRun, entry: string) {
    this.#run = run;
    this.#map = new SourceMap(run.built.map);
    this.#root = dirname(resolve(entry));
    this.#lineStarts = [0];
    for (let at = run.built.code.indexOf('\n'); at >= 0; at = run.built.code.indexOf('\n', at + 1))
      this.#lineStarts.push(at + 1);
  }

  /** The most expensive line first. Their cycles sum to the run's. */
  lines(): LineCost[] {
    const { profile, board, cyclesPerUnit } = this.#run;
    const lines = new Map<string, LineCost>();
    const add = (source: string, line: number, units: number, bytes: number): void => {
      const key = `${source}:${line}`;
      const known = lines.get(key);
      const counts = board.engine === 'kaluma';
      if (known === undefined)
        lines.set(key, {
          source,
          line,
          text: this.#textOf(source, line),
          cycles: units * cyclesPerUnit,
          allocatedBytes: counts ? bytes : null,
        });
      else {
        known.cycles += units * cyclesPerUnit;
        if (known.allocatedBytes !== null) known.allocatedBytes += bytes;
      }
    };
    for (const { text, start, units, allocatedBytes } of profile.places) {
      const { source, line } = this.#placeOf(text, start);
      add(source, line, units, allocatedBytes);
    }
    if (profile.elsewhereUnits > 0) add(engineSource, 0, profile.elsewhereUnits, 0);
    return [...lines.values()].sort((a, b) => b.cycles - a.cycles);
  }

  /** The one that takes most itself first. */
  functions(): FunctionCost[] {
    const { profile, cyclesPerUnit } = this.#run;
    const totals = totalUnits(profile.calls);
    const functions = new Map<string, FunctionCost>();
    profile.calls.forEach((call, at) => {
      const frame = this.frameOf(call);
      const key = keyOf(frame);
      let cost = functions.get(key);
      if (cost === undefined) {
        cost = { name: frame.name, source: frame.source, line: frame.line, selfCycles: 0, totalCycles: 0 };
        functions.set(key, cost);
      }
      cost.selfCycles += call.selfUnits * cyclesPerUnit;
      // A function that calls itself holds its own calls already.
      if (!this.#isWithin(profile.calls, at, key)) cost.totalCycles += totals[at]! * cyclesPerUnit;
    });
    return [...functions.values()]
      .filter(({ totalCycles }) => totalCycles > 0)
      .sort((a, b) => b.selfCycles - a.selfCycles);
  }

  frameOf({ place }: Call): CallFrame {
    if (place === null) return { name: '(program)', source: '', line: 0, column: 0 };
    const { source, line, column } = this.#placeOf(place.text, place.start);
    return { name: this.#nameAt(source, line, column), source, line, column };
  }

  /** The file of a source on this machine; null for what is none. */
  pathOf(source: string): string | null {
    if (source === '' || source.startsWith('(')) return null;
    return source.startsWith('heapglass/')
      ? join(packageRoot, 'firmware', source.slice('heapglass/'.length))
      : resolve(this.#root, source);
  }

  #isWithin(calls: readonly Call[], at: number, key: string): boolean {
    for (let up = at; up !== 0; ) {
      up = calls[up]!.parent;
      if (keyOf(this.frameOf(calls[up]!)) === key) return true;
    }
    return false;
  }

  #placeOf(text: number, start: number): { source: string; line: number; column: number } {
    const { profile, programText } = this.#run;
    if (text !== programText) {
      const isCall = profile.texts[text]!.fileName === 'call';
      return { source: isCall ? callSource : boardSource, line: 0, column: 0 };
    }
    const line = lastAtOrBefore(this.#lineStarts, start);
    const origin = this.#map.trace(line, start - this.#lineStarts[line]!);
    // What no mapping leads to was made by the bundler.
    if (origin === null) return { source: '(bundler)', line: 0, column: 0 };
    return { source: origin.source, line: origin.line + 1, column: origin.column };
  }

  #textOf(source: string, line: number): string {
    return this.#linesOf(source)[line - 1]?.trim() ?? '';
  }

  #linesOf(source: string): readonly string[] {
    let lines = this.#files.get(source);
    if (lines === undefined) {
      const path = this.pathOf(source);
      try {
        lines = path === null ? [] : readFileSync(path, 'utf8').split('\n');
      } catch {
        lines = [];
      }
      this.#files.set(source, lines);
    }
    return lines;
  }

  /** What the function that begins here is called in its source. */
  #nameAt(source: string, line: number, column: number): string {
    const text = this.#linesOf(source)[line - 1] ?? '';
    const from = text.slice(column);
    const declared = /^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*([\w$]+)/.exec(from);
    const method = /^(?:static\s+|async\s+|get\s+|set\s+)*([\w$#]+)\s*\(/.exec(from);
    const assigned = /([\w$]+)\s*[:=]\s*(?:async\s*)?\(?$/.exec(text.slice(0, column));
    if (declared) return declared[1]!;
    if (assigned) return assigned[1]!;
    if (method && method[1] !== 'function') return method[1]!;
    return '(anonymous)';
  }
}

const keyOf = ({ name, source, line, column }: CallFrame): string => `${source}:${line}:${column}:${name}`;

/** Units of each call with all that it called. */
function totalUnits(calls: readonly Call[]): number[] {
  const totals = calls.map(({ selfUnits }) => selfUnits);
  // A call comes after its caller in the list.
  for (let at = calls.length - 1; at > 0; at--) totals[calls[at]!.parent]! += totals[at]!;
  return totals;
}

function lastAtOrBefore(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
