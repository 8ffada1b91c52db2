/**
 * The part of the machinery that lives inside the sandbox: the counters that instrumented text lowers and the helpers
 * it calls. A script of its own, run first; its names begin with the marker, which no program may contain.
 *
 * What the host hands in (`refill`, `collect`) is called only from here, takes and gives only numbers and booleans, and
 * never lets an exception of the host through: a program that exhausts the stack inside a host function gets an error
 * of its own world.
 */
import { marker as m } from './marker.ts';
import { type Charge, meterText } from './metering.ts';
import { meterFeatures } from './meters.ts';
import type { CostModel } from './model.ts';
import { type CallCounters, callCounterText } from './profile.ts';
import type { Kept } from './sizes.ts';

const kinds = ['typed', 'fraction', 'array', 'string', 'object'] as const;
const uses = { g: 'get', w: 'set', u: 'update' } as const;
/** What a result may be charged for, by the kind of arithmetic that gave it. */
const wideResults = { n: 'add', M: 'mul', D: 'div', R: 'mod', B: 'bit' } as const;
/** Of JerryScript's text (ecma_short_string_t and what rounding takes). */
const textHeaderBytes = 12;
const madeKinds = ['typed', 'view', 'error', 'array', 'map', 'date', 'other'] as const;

/** The features that only a run can count, in the order of the counters that profiling fills. */
export const dynamicNames: readonly string[] = [
  ...kinds.flatMap((kind) => Object.values(uses).map((use) => `element.${kind}.${use}`)),
  ...kinds.map((kind) => `length.${kind}`),
  ...Object.values(wideResults).map((kind) => `float.${kind}`),
  ...['float.operand', 'float.compare', 'concat', 'concat.character', 'append', 'append.character'],
  ...[
    'text.int',
    'text.digit',
    'text.fraction',
    'text.fraction.digit',
    'step.array',
    'step.string',
    'step.object',
    'key.new',
  ],
  ...madeKinds.map((kind) => `new.${kind}`),
  ...[
    'new.other.pair',
    'new.typed.byte',
    'new.array.element',
    'forIn.array',
    'forIn.object',
    'forIn.key',
    'forIn.pair',
    'forOf.array',
    'forOf.map',
    'forOf.map.element',
    'new.map.element',
    'forOf.other',
  ],
  ...['spread.element', 'new.typed.fromArray', 'new.typed.fromTyped', 'error.engine'],
  ...meterFeatures,
];

/** What the prelude evaluates to: the host's hold on the counters. */
export interface Controls {
  /** The charge left of the slice, and the memory left before a collection. */
  left(): number;
  setLeft(cycles: number): void;
  memoryLeft(): number;
  setMemoryLeft(bytes: number): void;
  /** What the engine prints for a function. */
  textOf(fn: unknown): string;
  /** What a closure keeps; null where it keeps nothing. */
  keeps(fn: unknown): Kept | null;
  /** What the variables of a call hold, by what stands for the call. */
  environment(call: unknown): unknown[];
  /** What the locals of the functions that run hold; none run after `unwind`. */
  locals(): unknown[];
  unwind(): void;
  /** From now on everything in the program throws until `revive`. */
  kill(): void;
  revive(): void;
  /** The program's end of it: true when what was thrown is the interruption itself. */
  isInterruption(thrown: unknown): boolean;
  /** Null where calls are not counted. */
  callCounters(): CallCounters | null;
  blockCounts(): ArrayLike<number>;
  dynamicCounts(): ArrayLike<number>;
  reset(): void;
}

/** `countsCalls`: what each place and each call takes is told apart (profile.ts). */
export function preludeText(model: CostModel, profileBlocks: number, countsCalls = false): string {
  const { dynamic, prices, allocations } = model;
  const profiling = profileBlocks > 0;
  const charge: Charge = (feature, times = '1') => {
    const price = prices[feature] ?? 0;
    const bytes = allocations[feature] ?? 0;
    const once = times === '1';
    const taken = once ? Math.round(bytes) : `(${bytes}*${times})|0`;
    const countBytes = countsCalls ? `${m}bytes[${m}at]+=${m}s;` : '';
    const memory = bytes > 0 ? `{const ${m}s=${taken};${countBytes}if((${m}m-=${m}s)<0)${m}c(${m}s)}` : '';
    const units = once ? Math.round(price) : `(${price}*${times})|0`;
    const countUnits = `{const ${m}s=${units};${m}k-=${m}s;${m}units[${m}at]+=${m}s;${m}self[${m}in]+=${m}s}`;
    const cost = price === 0 ? '' : countsCalls ? countUnits : `${m}k-=${units};`;
    return `${memory}${cost}${profiling ? `${m}d[${dynamicNames.indexOf(feature)}]+=${times};` : ''}`;
  };
  const byKind = (feature: (kind: (typeof kinds)[number]) => string, remember = false): string => {
    const branch = (kind: (typeof kinds)[number], at: number) =>
      `{${remember ? `kind=${at};` : ''}${charge(feature(kind))}}`;
    return (
      `if(isView(o)){if(o instanceof Float32Array||o instanceof Float64Array)${branch('fraction', 0)}else${branch('typed', 0)}}` +
      `else if(isArray(o))${branch('array', 1)}else if(typeof o==='string')${branch('string', 2)}` +
      `else{${remember ? 'kind=3;last=o;' : ''}${charge(feature('object'))}}return o;`
    );
  };
  const element = (letter: 'g' | 'w' | 'u'): string =>
    `const ${m}${letter}=(o)=>{sets=${letter !== 'g'};${byKind((kind) => `element.${kind}.${uses[letter]}`, true)}};`;
  const word = dynamic.wordMax;
  const isWide = `(r|0)!==r||r>${word}||r<${-word}`;
  // A text is given back as soon as nothing refers to it, and no collection is due to it: only now and then it is
  // looked whether all that are held still fit.
  const held = dynamic.searchesText
    ? ''
    : `if((${m}w0-=r.length+${textHeaderBytes})<0){${m}w0=${m}hooks.look(r.length);if(${m}w0<0)${m}c(r.length)}`;
  const result = (letter: keyof typeof wideResults): string =>
    `const ${m}${letter}=(r)=>{if(typeof r==='number'){if(${isWide}){${charge(`float.${wideResults[letter]}`)}}}` +
    `${letter === 'n' ? `else if(typeof r==='string'){${held}${charge('concat')}${charge('concat.character', 'r.length')}}` : ''}return r};`;
  const looked = (letter: string, feature: string): string =>
    `const ${m}${letter}=(r)=>{if(typeof r==='number'&&(${isWide})){${charge(feature)}}return r};`;
  const helpers = [...'gwulxnMDRBAvCtyzjhNSTFEpqfr'];
  const names = helpers.map((letter) => m + letter).join(',');
  return `'use strict';
let ${m}k=0,${m}m=0,${m}w0=0;
const ${m}b=new Float64Array(${profileBlocks}),${m}d=new Float64Array(${dynamicNames.length});
${countsCalls ? callCounterText(profileBlocks) : ''}
var ${m}start=(hostRefill,hostCollect,hostLook,hostText)=>{
const refill=()=>{try{return hostRefill(${m}k)}catch(e){return -1}};
const collect=(s)=>{try{return hostCollect(s)}catch(e){return -1}};
${m}hooks.refill=refill;${m}hooks.look=(s)=>{try{return hostLook(s)}catch(e){return -1}};${m}hooks.collect=collect;${m}hooks.text=(t)=>{try{return hostText(t)}catch(e){return ''}};
return {
left:()=>${m}k,setLeft:(v)=>{${m}k=v},memoryLeft:()=>${m}m,setMemoryLeft:(v)=>{${m}m=v},
keeps:(f)=>${m}hooks.keeps(f),textOf:(f)=>${m}hooks.textOf(f),environment:(e)=>${m}hooks.environment(e),locals:()=>${m}hooks.locals(),unwind:()=>${m}hooks.unwind(),
kill:()=>{${m}hooks.dead=true;${m}k=-1},revive:()=>{${m}hooks.dead=false},
isInterruption:(t)=>t===${m}hooks.token,
callCounters:()=>${countsCalls ? `${m}counters` : 'null'},
blockCounts:()=>${m}b,dynamicCounts:()=>${m}d,reset:()=>{for(let i=0;i<${m}b.length;i++)${m}b[i]=0;for(let i=0;i<${m}d.length;i++)${m}d[i]=0;${countsCalls ? `for(const list of [${m}self,${m}units,${m}bytes])for(let i=0;i<list.length;i++)list[i]=0` : ''}},
}};
const ${m}hooks={refill:null,collect:null,text:null,textOf:null,dead:false,token:{__proto__:null}};
const ${m}o=()=>{if(!${m}hooks.dead){const left=${m}hooks.refill();if(left>=0){${m}k=left;return}}${m}hooks.dead=true;${m}k=-1;throw ${m}hooks.token};
const ${m}c=(s)=>{if(${m}hooks.dead)throw ${m}hooks.token;const left=${m}hooks.collect(s);if(left>=0){${m}m=left;return}${m}hooks.dead=true;${m}k=-1;throw ${m}hooks.token};
const {${names}}=(()=>{
const {SyntaxError,ReferenceError,isView,isArray,keys,Float32Array,Float64Array,DataView,Error,Map,Set,Date,WeakSet,WeakMap}=globalThis.${m}i;
const made=new WeakSet(),viewed=new WeakSet(),readers=new WeakMap(),stack=[];let depth=0;let kind=0,sets=false,isNew=false,last=null,key=null;
const steps=(o,k)=>{const all=keys(o),name=''+k;let at=all.length-1;while(at>=0&&all[at]!==name)at--;isNew=at<0;return at<0?all.length:${dynamic.passes === 'older' ? 'at' : 'all.length-1-at'}};
${element('g')}${element('w')}${element('u')}
const ${m}l=(o)=>{${byKind((kind) => `length.${kind}`)}};
const ${m}x=(i)=>{if(kind===1){${dynamic.searchesArrays ? `if(i>0){${charge('step.array', '(i|0)')}}` : ''}}else if(kind===2){${
    dynamic.searchesText ? `if(i>0){${charge('step.string', '(i|0)')}}` : ''
  }}else if(kind===3&&typeof last==='object'&&last!==null&&typeof i!=='symbol'){const s=steps(last,i);${charge('step.object', 's')}if(sets&&isNew){${charge('key.new')}}last=null}return i};
${(Object.keys(wideResults) as (keyof typeof wideResults)[]).map(result).join('\n')}
const ${m}A=(r)=>{if(typeof r==='number'){if(${isWide}){${charge('float.add')}}}else if(typeof r==='string'){${held}${charge('append')}${charge('append.character', 'r.length')}}return r};
${looked('v', 'float.operand')}
${looked('C', 'float.compare')}
const ${m}t=(r)=>{if(typeof r==='number'){if((r|0)===r){${charge('text.int')}if(r>9||r<0){${charge('text.digit', "(''+r).length")}}}else{${charge('text.fraction')}${charge('text.fraction.digit', "(''+r).length")}}}return r};
const ${m}y=(k)=>{key=k;return k};
const ${m}z=(o)=>{if(typeof o==='object'&&o!==null&&!isView(o)&&!isArray(o)&&typeof key!=='symbol'){const s=steps(o,key);${charge('step.object', 's')}}return o};
const ${m}j=(o)=>{if(isArray(o)){${charge('forIn.array')}}else{${charge('forIn.object')}}if(typeof o==='object'&&o!==null){const s=keys(o).length;${charge('forIn.key', 's')}${charge('forIn.pair', '(s*(s-1)/2)')}}return o};
const ${m}h=(o)=>{if(isArray(o)){${charge('forOf.array')}}else if(o instanceof Map||o instanceof Set){${charge('forOf.map')}${charge('forOf.map.element', 'o.size')}}else{${charge('forOf.other')}}return o};
const ${m}N=(o)=>{if(isView(o)){if(!(DataView&&o instanceof DataView)&&o.byteLength===o.buffer.byteLength&&!viewed.has(o.buffer)){viewed.add(o.buffer);${charge('new.typed')}${charge('new.typed.byte', 'o.byteLength')}}else{${charge('new.view')}}}
else if(isArray(o)){${charge('new.array')}${charge('new.array.element', 'o.length')}}else if(o instanceof Error){made.add(o);${charge('new.error')}}else if(o instanceof Map||o instanceof Set){${charge('new.map')}${charge('new.map.element', 'o.size')}}else if(o instanceof Date){${charge('new.date')}}else{${charge('new.other')}if(typeof o==='object'&&o!==null){${charge('new.other.pair', '((keys(o).length+1)>>1)')}}}return o};
const ${m}S=(o)=>{if(o!==null&&typeof o==='object'){${charge('spread.element', '((isArray(o)||isView(o)?o.length:o.size||keys(o).length)|0)')}}return o};
const ${m}T=(o)=>{if(isArray(o)){${charge('new.typed.fromArray', 'o.length')}}else if(isView(o)){${charge('new.typed.fromTyped', 'o.length')}}return o};
const ${m}F=(f,calls,r,n)=>{readers.set(f,{calls,r,n});return f};
const ${m}E=(r,n)=>({r,n});
const ${m}p=(r,n)=>{stack[depth++]={r,n}};
const ${m}q=()=>{stack[--depth]=null};
const readOut=({r,n})=>{const values=[];if(r===undefined)return values;for(let i=0;i<n;i++)try{values[i]=r(i)}catch(e){values[i]=undefined}return values};
${m}hooks.keeps=(f)=>{const at=readers.get(f);return at===undefined?null:{calls:at.calls,own:readOut(at)}};
${m}hooks.environment=readOut;
${m}hooks.locals=()=>{const all=[];for(let i=0;i<depth;i++){const values=readOut(stack[i]);for(let k=0;k<values.length;k++)all[all.length]=values[k]}return all};
${m}hooks.unwind=()=>{depth=0;stack.length=0};
const ${m}f=(e)=>{if(e instanceof Error&&!made.has(e)){${charge('error.engine')}}if(${m}hooks.dead||typeof e==='object'&&e!==null&&e.name==='RangeError'&&e.message==='Maximum call stack size exceeded'){${m}hooks.dead=true;${m}k=-1;throw ${m}hooks.token}};
const ${m}r=(name,message)=>{throw new(name==='SyntaxError'?SyntaxError:name==='ReferenceError'?ReferenceError:Error)(message)};
return {${names}}})();
${meterText(model.engine, charge)}
(()=>{const {apply,defineProperty,functionText,FunctionPrototype,TypeError}=globalThis.${m}i;
const {toString}={toString(){if(typeof this!=='function')throw new TypeError('Argument is not a function');return ${m}hooks.textOf(this)}};
${m}hooks.textOf=(f)=>${m}hooks.text(apply(functionText,f,[]));
defineProperty(FunctionPrototype,'toString',{value:toString,writable:true,configurable:true})})();
`;
}
