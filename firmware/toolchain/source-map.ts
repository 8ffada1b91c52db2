/**
 * Source maps (version 3): tracing a position back, and composing the maps of two passes.
 *
 * Lines and columns are 0-based here, as in the maps; acorn's lines and those shown to people start at 1.
 * Reference: ECMA-426, "Source map format".
 */
import { decode, encode, type SourceMapMappings } from '@jridgewell/sourcemap-codec';

export interface RawSourceMap {
  version: number;
  sources: (string | null)[];
  sourcesContent?: (string | null)[];
  names: string[];
  mappings: string;
}

export interface Position {
  source: string;
  line: number;
  column: number;
}

export class SourceMap {
  readonly sources: readonly string[];
  private readonly lines: SourceMapMappings;

  constructor(raw: RawSourceMap, lines: SourceMapMappings = decode(raw.mappings)) {
    this.sources = raw.sources.map((source) => source ?? '');
    this.lines = lines;
  }

  /** Where the code at this place came from: the last mapping at or before it on its line. Null for generated code. */
  trace(line: number, column: number): Position | null {
    const segment = this.segment(line, column);
    if (!segment || segment.length === 1) return null;
    return { source: this.sources[segment[1]]!, line: segment[2], column: segment[3] };
  }

  /** The map of two passes in a row: `later` maps their output to this map's output. */
  followedBy(later: RawSourceMap): RawSourceMap {
    return this.composed(later).raw;
  }

  /** The same, and decoded already: what the next pass of many begins with. */
  composed(later: RawSourceMap): { raw: RawSourceMap; map: SourceMap } {
    const lines = decode(later.mappings);
    for (const segments of lines) {
      for (let i = 0; i < segments.length; i++) {
        const segment = segments[i]!;
        if (segment.length === 1) continue;
        const origin = this.segment(segment[2], segment[3]);
        segments[i] = origin && origin.length > 1 ? [segment[0], origin[1]!, origin[2]!, origin[3]!] : [segment[0]];
      }
    }
    const raw = { version: 3, sources: [...this.sources], names: [], mappings: encode(lines) };
    return { raw, map: new SourceMap(raw, lines) };
  }

  private segment(line: number, column: number): SourceMapMappings[number][number] | undefined {
    const segments = this.lines[line];
    if (!segments) return undefined;
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (segments[middle]![0] <= column) low = middle + 1;
      else high = middle;
    }
    return segments[low - 1];
  }
}
