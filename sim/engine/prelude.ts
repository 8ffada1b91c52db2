/**
 * The part of the machinery that lives inside the sandbox: the counters that instrumented text lowers and the helpers
 * it calls. A script of its own, run first; its names begin with the marker, which no program may contain.
 *
 * What the host hands in (`refill`, `collect`) is called only from here, takes and gives only numbers and booleans, and
 * never lets an exception of the host through: a program that exhausts the stack inside a host function gets an error
 * of its own world.
 */
import { marker as m } from './marker.ts';
import type { CostModel, DynamicFeatures } from './model.ts';

const kinds = ['typed', 'array', 'string', 'object'] as const;
const uses = { g: 'get', w: 'set', u: 'update' } as const;

/** Names of the dynamic features, in the order of the counters that profiling fills. */
export function dynamicNames(dynamic: DynamicFeatures): string[] {
  const names = [
    ...kinds.flatMap((kind) => Object.values(uses).map((use) => dynamic.element(kind, use))),
    ...kinds.map((kind) => dynamic.length(kind)),
    dynamic.wideResult,
    dynamic.wideOperand,
    dynamic.concat,
    dynamic.concatCharacter,
    dynamic.newTyped,
    dynamic.newTypedByte,
    dynamic.newView,
    dynamic.newOther,
    ...(dynamic.elementStep === null ? [] : [dynamic.elementStep]),
  ];
  return [...new Set(names)];
}

/** What the prelude evaluates to: the host's hold on the counters. */
export interface Controls {
  /** The charge left of the slice, and the memory left before a collection. */
  left(): number;
  setLeft(cycles: number): void;
  memoryLeft(): number;
  setMemoryLeft(bytes: number): void;
  /** From now on everything in the program throws until `revive`. */
  kill(): void;
  revive(): void;
  /** The program's end of it: true when what was thrown is the interruption itself. */
  isInterruption(thrown: unknown): boolean;
  blockCounts(): ArrayLike<number>;
  dynamicCounts(): ArrayLike<number>;
  reset(): void;
}

export function preludeText(model: CostModel, profileBlocks: number): string {
  const { dynamic, prices, allocations } = model;
  const names = dynamicNames(dynamic);
  const profiling = profileBlocks > 0;
  const charge = (feature: string, times = '1'): string => {
    const price = prices[feature] ?? 0;
    const bytes = allocations[feature] ?? 0;
    const cost = times === '1' ? `${Math.round(price)}` : `(${price}*${times})|0`;
    const memory =
      bytes > 0 ? `(${m}m-=${times === '1' ? Math.round(bytes) : `(${bytes}*${times})|0`})<0&&${m}c();` : '';
    return `${memory}${m}k-=${cost};${profiling ? `${m}d[${names.indexOf(feature)}]+=${times};` : ''}`;
  };
  const byKind = (feature: (kind: (typeof kinds)[number]) => string, onArray = '', otherwise = ''): string =>
    `if(isView(o)){${charge(feature('typed'))}${otherwise}}else if(isArray(o)){${charge(feature('array'))}${onArray}}` +
    `else if(typeof o==='string'){${charge(feature('string'))}${otherwise}}else{${charge(feature('object'))}${otherwise}}return o;`;
  const element = (letter: 'g' | 'w' | 'u'): string =>
    `const ${m}${letter}=(o)=>{${byKind((kind) => dynamic.element(kind, uses[letter]), 'onArray=true;', 'onArray=false;')}};`;
  const word = dynamic.wordMax;
  const isWide = `(r|0)!==r||r>${word}||r<${-word}`;
  return `'use strict';
let ${m}k=0,${m}m=0;
const ${m}b=new Float64Array(${profileBlocks}),${m}d=new Float64Array(${names.length});
var ${m}start=(hostRefill,hostCollect)=>{
const refill=()=>{try{return hostRefill(${m}k)}catch(e){return -1}};
const collect=()=>{try{return hostCollect(${m}m)}catch(e){return -1}};
${m}hooks.refill=refill;${m}hooks.collect=collect;
return {
left:()=>${m}k,setLeft:(v)=>{${m}k=v},memoryLeft:()=>${m}m,setMemoryLeft:(v)=>{${m}m=v},
kill:()=>{${m}hooks.dead=true;${m}k=-1},revive:()=>{${m}hooks.dead=false},
isInterruption:(t)=>t===${m}hooks.token,
blockCounts:()=>${m}b,dynamicCounts:()=>${m}d,reset:()=>{${m}b.fill(0);${m}d.fill(0)},
}};
const ${m}hooks={refill:null,collect:null,dead:false,token:{__proto__:null}};
const ${m}o=()=>{if(!${m}hooks.dead){const left=${m}hooks.refill();if(left>=0){${m}k=left;return}}${m}hooks.dead=true;${m}k=-1;throw ${m}hooks.token};
const ${m}c=()=>{if(${m}hooks.dead)throw ${m}hooks.token;const left=${m}hooks.collect();if(left>=0){${m}m=left;return}${m}hooks.dead=true;${m}k=-1;throw ${m}hooks.token};
const {${m}g,${m}w,${m}u,${m}l,${m}x,${m}n,${m}v,${m}N,${m}f}=(()=>{
const {isView,isArray}=globalThis.${m}i,DataViewOf=globalThis.DataView;let onArray=false;
${element('g')}${element('w')}${element('u')}
const ${m}l=(o)=>{${byKind((kind) => dynamic.length(kind))}};
const ${m}x=(i)=>{if(onArray&&i>0){${dynamic.elementStep === null ? '' : charge(dynamic.elementStep, '(i|0)')}}return i};
const ${m}n=(r)=>{if(typeof r==='number'){if(${isWide}){${charge(dynamic.wideResult)}}}else if(typeof r==='string'){${charge(dynamic.concat)}${charge(dynamic.concatCharacter, 'r.length')}}return r};
const ${m}v=(r)=>{if(typeof r==='number'&&(${isWide})){${charge(dynamic.wideOperand)}}return r};
const ${m}N=(o)=>{if(isView(o)){if(!(DataViewOf&&o instanceof DataViewOf)&&o.byteLength===o.buffer.byteLength){${charge(dynamic.newTyped)}${charge(dynamic.newTypedByte, 'o.byteLength')}}else{${charge(dynamic.newView)}}}else{${charge(dynamic.newOther)}}return o};
const ${m}f=(e)=>{if(${m}hooks.dead||typeof e==='object'&&e!==null&&e.name==='RangeError'&&e.message==='Maximum call stack size exceeded'){${m}hooks.dead=true;${m}k=-1;throw ${m}hooks.token}};
return {${m}g,${m}w,${m}u,${m}l,${m}x,${m}n,${m}v,${m}N,${m}f}})();
`;
}
