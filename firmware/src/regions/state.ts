/**
 * The state of a heap of regions (regions.ts), and which of its regions' views are bound. A few words and a byte a page for
 * each region, in arrays that are made once and lie in none of the regions.
 *
 *   region   [ arena of the policy ........ ][ beyond ......... ][ large ][ free pages ][ large ]
 *             ^ base                          ^ break             ^ floor                       ^ base + bytes
 *
 * An offset runs through all regions, one after the other; a place is bytes from its region's start.
 */
import { selectViews } from '../arena.ts';
import { bindRegionPolicy, type RegionPolicy } from './region-policy.ts';

/** What a heap of regions keeps. All arrays have an entry a region, but for the map of pages. */
export interface RegionState {
  /** The policy, in Node. */
  policy: RegionPolicy;
  /** Requests of so many bytes get pages. */
  largeFrom: number;
  /** Where a region's offsets begin, its bytes, its break, where its lowest large block begins. */
  bases: Uint32Array;
  sizes: Uint32Array;
  breaks: Uint32Array;
  floors: Uint32Array;
  /** 1 when a region takes large blocks alone and has no arena. */
  largeOnly: Uint8Array;
  /** Bytes of a page, offset of the first in the region, how many; and where they begin in the map. */
  pageSizes: Uint32Array;
  pageOrigins: Uint32Array;
  pageCounts: Uint32Array;
  pagesAt: Uint32Array;
  /** PAGE_ of each page of all regions. */
  pages: Uint8Array;
  /** What each is called; '' without a name. */
  names: string[];
  /** The views of each region's buffer. */
  bytes: Uint8Array[];
  halves: Uint16Array[];
  words: Uint32Array[];
}

/** Of the bound regions, as in RegionState. */
export let regionCount = 0;
export let sizes: Uint32Array = new Uint32Array(0);
export let breaks: Uint32Array = new Uint32Array(0);
export let largeOnly: Uint8Array = new Uint8Array(0);
export let pageSizes: Uint32Array = new Uint32Array(0);
export let names: string[] = [];
export let largeFrom = 0;
export let bases: Uint32Array = new Uint32Array(0);
export let floors: Uint32Array = new Uint32Array(0);
export let pageOrigins: Uint32Array = new Uint32Array(0);
export let pageCounts: Uint32Array = new Uint32Array(0);
export let pagesAt: Uint32Array = new Uint32Array(0);
export let pages: Uint8Array = new Uint8Array(0);
let bytesOf: Uint8Array[] = [];
let halvesOf: Uint16Array[] = [];
let wordsOf: Uint32Array[] = [];

/** From a block's start to its payload, in pages as in the policy's arenas. */
export let headerBytes = 0;
/** The region whose views are bound. */
export let current = 0;

/** Makes these regions the bound ones. */
export function bindRegions(state: RegionState): void {
  bindRegionPolicy(state.policy);
  largeFrom = state.largeFrom;
  bases = state.bases;
  regionCount = bases.length;
  sizes = state.sizes;
  breaks = state.breaks;
  floors = state.floors;
  largeOnly = state.largeOnly;
  pageSizes = state.pageSizes;
  pageOrigins = state.pageOrigins;
  pageCounts = state.pageCounts;
  pagesAt = state.pagesAt;
  pages = state.pages;
  names = state.names;
  bytesOf = state.bytes;
  halvesOf = state.halves;
  wordsOf = state.words;
  headerBytes = -pageOrigins[0]! & 7;
  enter(0);
}

/** Binds a region's views and returns where its offsets begin. */
export function enter(region: number): number {
  current = region;
  selectViews(bytesOf[region]!, halvesOf[region]!, wordsOf[region]!);
  return bases[region]!;
}

/** The region that holds this offset; the number of regions when none does. */
export function regionOf(offset: number): number {
  let region = 0;
  while (region < regionCount && offset >= bases[region]! + sizes[region]!) region++;
  return offset < 0 ? regionCount : region;
}

/** Binds the region of a place and returns the place within it. */
export function select(offset: number): number {
  const region = regionOf(offset);
  return region === regionCount ? 0 : offset - enter(region);
}

/** Blocks of pages are shaped like the policy's own. */
export function setHeaderBytes(bytes: number): void {
  headerBytes = bytes;
}
