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

  /** From a map as it is written, or its sources and its decoded lines. */
  constructor(map: Pick<RawSourceMap, 'sources'> & { mappings: string | SourceMapMappings }) {
    this.sources = map.sources.map((source) => source ?? '');
    this.lines = typeof map.mappings === 'string' ? decode(map.mappings) : map.mappings;
  }

  /** As it is written; encoded at each call. */
  get raw(): RawSourceMap {
    return { version: 3, sources: [...this.sources], names: [], mappings: encode(this.lines) };
  }

  /** Where the code at this place came from: the last mapping at or before it on its line. Null for generated code. */
  trace(line: number, column: number): Position | null {
    const segment = this.segment(line, column);
    if (!segment || segment.length === 1) return null;
    return { source: this.sources[segment[1]]!, line: segment[2], column: segment[3] };
  }

  /** The map of two passes in a row: `later` maps their output to the text that this map is of. */
  followedBy(later: SourceMap): SourceMap {
    const mappings = later.lines.map((segments) =>
      segments.map((segment): SourceMapMappings[number][number] => {
        const origin = segment.length === 1 ? undefined : this.segment(segment[2], segment[3]);
        return origin && origin.length > 1 ? [segment[0], origin[1]!, origin[2]!, origin[3]!] : [segment[0]];
      }),
    );
    return new SourceMap({ sources: [...this.sources], mappings });
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
