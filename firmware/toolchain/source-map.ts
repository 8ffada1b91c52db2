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

  constructor(raw: RawSourceMap) {
    this.sources = raw.sources.map((source) => source ?? '');
    this.lines = decode(raw.mappings);
  }

  /** Where the code at this place came from: the last mapping at or before it on its line. Null for generated code. */
  trace(line: number, column: number): Position | null {
    const segments = this.lines[line];
    if (!segments) return null;
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (segments[middle]![0] <= column) low = middle + 1;
      else high = middle;
    }
    const segment = segments[low - 1];
    if (!segment || segment.length === 1) return null;
    return { source: this.sources[segment[1]]!, line: segment[2], column: segment[3] };
  }

  /** The map of two passes in a row: `later` maps their output to this map's output. */
  followedBy(later: RawSourceMap): RawSourceMap {
    const mappings: SourceMapMappings = decode(later.mappings).map((segments) =>
      segments.flatMap((segment): SourceMapMappings[number] => {
        if (segment.length === 1) return [segment];
        const origin = this.trace(segment[2], segment[3]);
        return origin
          ? [[segment[0], this.sources.indexOf(origin.source), origin.line, origin.column]]
          : [[segment[0]]];
      }),
    );
    return { version: 3, sources: [...this.sources], names: [], mappings: encode(mappings) };
  }
}
