/**
 * Where a run spent what it took: by place of the program's text, and by function as a tree of calls. The instrumented
 * text counts how often each block runs and which function runs it; what depends on values is charged to the block and
 * the call that are running (prelude.ts). A profiled run takes exactly what an unprofiled one takes.
 *
 * Invariants:
 * P1  The self units of the calls, and what was spent outside programs (`elsewhere`), sum to the units of the run.
 * P2  The units of the places sum to the self units of the calls.
 */
import { priceOf } from './features.ts';
import { marker } from './marker.ts';
import type { Block, CostModel } from './model.ts';

/** Functions of which one calls the other: 0 is what runs outside every function. */
export interface Call {
  /** Number of the caller in the list; the first is its own. */
  parent: number;
  /** The text and the offset in it where the function begins; null outside functions and where calls are no longer told apart. */
  place: { text: number; start: number } | null;
  /** Engine units (cycles or instructions) in the function itself, without what it called. */
  selfUnits: number;
}

export interface Place {
  text: number;
  /** Offset of the expression or statement in its text. */
  start: number;
  units: number;
  /** Garbage-collected memory of the engine that was asked for here; bytes on Kaluma, not counted on Espruino. */
  allocatedBytes: number;
}

export interface ExecutionProfile {
  /** Programs and lines that were run, in that order. */
  texts: readonly { fileName: string; source: string }[];
  calls: Call[];
  places: Place[];
  /** Units spent by collections and host functions. */
  elsewhereUnits: number;
}

/** Calls told apart; what is called beyond counts as one. */
const mostCalls = 1 << 16;

/** What the instrumented text counts into: read by `executionProfile`. */
export interface CallCounters {
  /** By call: units of the function itself. */
  selfUnits: ArrayLike<number>;
  /** By call: who called, and the block at which the function begins. */
  parents: ArrayLike<number>;
  entries: ArrayLike<number>;
  calls(): number;
  /** By block: units and bytes that depended on values. */
  units: ArrayLike<number>;
  bytes: ArrayLike<number>;
}

const m = marker;

/**
 * Declarations for a world whose calls are counted. `at` is the block that runs and `in` the call; a function enters
 * with its first block's number and leaves with what entering gave it. A function that
 * throws does not leave: whoever catches says that it is back,
 * unless it has left by a return and this is its `finally`.
 */
export function callCounterText(blocks: number): string {
  return `
let ${m}at=0,${m}in=0;
const ${m}self=new Float64Array(${mostCalls}),${m}units=new Float64Array(${blocks}),${m}bytes=new Float64Array(${blocks});
const {${m}enter,${m}leave,${m}left,${m}back,${m}counters}=(()=>{
const parents=new Uint32Array(${mostCalls}),entries=new Int32Array(${mostCalls}),called=[{__proto__:null}],ats=[],ins=[],own=[];let count=1,depth=0;
entries[0]=-1;
const enter=(block)=>{const token=depth,known=called[${m}in];ats[depth]=${m}at;ins[depth++]=${m}in;
let call=known[block];if(call===undefined){if(count<${mostCalls}){call=count++;parents[call]=${m}in;entries[call]=block;called[call]={__proto__:null};known[block]=call}else call=${m}in}
${m}in=own[token]=call;${m}at=block;return token};
const leave=(token)=>{depth=token;${m}at=ats[token];${m}in=ins[token]};
const back=(token)=>{if(depth<=token)return;depth=token+1;${m}in=token<0?0:own[token]};
return {${m}enter:enter,${m}back:back,${m}leave:leave,${m}left:(token,value)=>{leave(token);return value},
${m}counters:{selfUnits:${m}self,parents,entries,calls:()=>count,units:${m}units,bytes:${m}bytes}}})();`;
}

/** What the blocks cost as text, and what was counted, put together. `textOf[block]` is the text a block stands in. */
export function executionProfile(
  { blocks, textOf, counts }: { blocks: readonly Block[]; textOf: readonly number[]; counts: ArrayLike<number> },
  counters: CallCounters,
  model: CostModel,
): Pick<ExecutionProfile, 'calls' | 'places'> {
  const placeOf = (block: number): Call['place'] =>
    block < 0 ? null : { text: textOf[block]!, start: blocks[block]!.node.start };
  const calls: Call[] = Array.from({ length: counters.calls() }, (_, call) => ({
    parent: counters.parents[call]!,
    place: placeOf(counters.entries[call]!),
    selfUnits: counters.selfUnits[call]!,
  }));
  const places = new Map<string, Place>();
  const add = (text: number, start: number, units: number, allocatedBytes: number): void => {
    if (units === 0 && allocatedBytes === 0) return;
    const key = `${text}:${start}`;
    const place = places.get(key);
    if (place === undefined) places.set(key, { text, start, units, allocatedBytes });
    else {
      place.units += units;
      place.allocatedBytes += allocatedBytes;
    }
  };
  blocks.forEach(({ bag, node, price = 0, parts }, at) => {
    const text = textOf[at]!;
    const times = counts[at]!;
    let restUnits = price;
    let restBytes = Math.round(priceOf(bag, model.allocations));
    for (const [start, part] of parts ?? []) {
      const units = priceOf(part, model.prices);
      const bytes = priceOf(part, model.allocations);
      add(text, start, units * times, bytes * times);
      restUnits -= units;
      restBytes -= bytes;
    }
    add(text, node.start, restUnits * times + counters.units[at]!, restBytes * times + counters.bytes[at]!);
  });
  return { calls, places: [...places.values()] };
}
