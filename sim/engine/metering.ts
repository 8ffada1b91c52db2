/**
 * The text that puts meters on the builtins of a world (meters.ts), and the sort of each engine: how often it compares,
 * and where it leaves equal elements, is its own, so the host's is replaced.
 *
 * Invariant: a metered builtin behaves as the host's does: same name, same length, same `this`, no construction.
 *
 * Reference: jerryscript v2.4.0 jerry-core/ecma/builtin-objects/ecma-builtin-helpers-sort.c (merge sort, bottom up);
 * espruino/Espruino src/jswrap_array.c (_jswrap_array_sort: a quick sort around the first element or a median).
 */
import { marker as m } from './marker.ts';
import { meters } from './meters.ts';

/** Text that charges a feature as often as an expression says. */
export type Charge = (feature: string, times?: string) => string;

const mergeSort = `const arrange=(list,compare)=>{let from=list,to=from.slice();const n=from.length;
for(let w=1;w<n;w*=2){for(let i=0;i<n;i+=2*w){const r=i+w>n?n:i+w,e=i+2*w>n?n:i+2*w;let a=i,b=r;
for(let k=i;k<e;k++){const c=a<r&&b<e?compare(from[a],from[b]):0;to[k]=a<r&&c<=0?from[a++]:from[b++]}}
const held=to;to=from;from=held}return from};`;

const quickSort = `const arrange=(list,compare)=>{const part=(low,count)=>{let n=count;if(n<2)return;
if(n>10){const mid=low+(n>>1),high=low+n-1,a=list[low],b=list[mid],c=list[high];const ab=compare(a,b),bc=compare(b,c),ac=compare(a,c);
if(ab<=0&&bc<=0||ac<=0&&bc>=0){list[low]=b;list[mid]=a}else if(ab>=0&&ac<=0||bc>=0&&ac>=0){list[low]=c;list[high]=a}}
let pivot=low,lowest=true,below=0,above=0;const value=list[low];
for(let it=low+1;--n;it++){const v=list[it],c=compare(v,value);
if(c<=0){if(c<0)lowest=false;below++;list[pivot]=v;pivot++;list[it]=list[pivot];list[pivot]=value}else above++}
part(pivot+1,above);if(!lowest)part(low,below)};part(0,list.length);return list};`;

const stretchGiven = `const P=(n,at,none)=>at===undefined?none:(at=at|0,at<0?at+n>0?at+n:0:at<n?at:n);
const R=(t,from,to)=>{const n=L(t),count=P(n,to,n)-P(n,from,0);return count>0?count:0};`;

/** jswrap_array_fill looks at each element and sets those in range. */
const stretchWhole = `const R=(t)=>L(t);`;

export function meterText(engine: 'espruino' | 'jerryscript', charge: Charge): string {
  const rows = meters.map(({ owner, name, feature, counts, callsBack }) => {
    const pay = [
      owner === 'JSON' ? `const j=typeof r==='string'?r:a[0];` : '',
      charge(feature),
      ...Object.entries(counts).map(([end, count]) => charge(`${feature}.${end}`, `(${count})`)),
    ].join('');
    return `M(${found(owner)},'${name}',${callsBack},(t,a,r,n)=>{${pay}});`;
  });
  return `(()=>{
const {apply,defineProperty,keys,typed,log2,TypeError,hasOwn}=globalThis.${m}i;
const L=(x)=>x===null||x===undefined?0:x.length>>>0,K=(x)=>typeof x==='object'&&x!==null?keys(x).length:0;
const F=(a)=>{for(let i=0;i<a.length;i++)if(typeof a[i]==='number'&&(a[i]|0)!==a[i])return 1;return 0};
const V=(j)=>{let n=1;if(typeof j==='string')for(let i=0;i<j.length;i++){const c=j[i];if(c===','||c==='{'||c==='[')n++}return n};
const D=(j)=>{let n=0;if(typeof j==='string')for(let i=0;i<j.length;i++)if(j[i]==='.')n++;return n};
${engine === 'jerryscript' ? stretchGiven : stretchWhole}
const C=(j,x)=>{let n=0;if(typeof j==='string')for(let i=0;i<j.length;i++)if(j[i]===x)n++;return n};
const Q=(n)=>n>1?log2(n):0,I=(i)=>i>0&&i<1e9?i|0:0;
const put=(o,name,w,length)=>{defineProperty(w,'length',{value:length,configurable:true});defineProperty(o,name,{value:w})};
const M=(o,name,back,pay)=>{if(!o||typeof o[name]!=='function'||!hasOwn(o,name))return;const f=o[name];
put(o,name,back?{[name](...a){let n=0;const g=a[0];if(typeof g==='function')a[0]=function(...x){n++;return apply(g,this,x)};const r=apply(f,this,a);pay(this,a,r,n);return r}}[name]
:{[name](...a){const r=apply(f,this,a);pay(this,a,r,0);return r}}[name],f.length)};
${rows.join('\n')}
${engine === 'jerryscript' ? mergeSort : quickSort}
const sorts={sort(by){if(by!==undefined&&typeof by!=='function')throw new TypeError('Compare function is not callable');
const n=L(this),list=[];for(let i=0;i<n;i++)if(i in this)list[list.length]=this[i];
let called=0,texts=0;
const sorted=arrange(list,(x,y)=>{if(x===undefined)return y===undefined?0:1;if(y===undefined)return -1;
if(by){called++;const v=+apply(by,undefined,[x,y]);return v!==v?0:v}texts++;const p=''+x,q=''+y;return p<q?-1:p>q?1:0});
for(let i=0;i<n;i++)if(i<sorted.length)this[i]=sorted[i];else delete this[i];
${charge('Array.sort')}${charge('Array.sort.unit', 'n')}${charge('Array.sort.comparison', 'called')}${charge('Array.sort.textComparison', 'texts')}return this}};
if(Array.prototype.sort)put(Array.prototype,'sort',sorts.sort,1);
})();`;
}

/** The owner of a builtin, or undefined where the world lacks it. */
function found(owner: string): string {
  if (owner.startsWith('Object.getPrototypeOf')) return 'typed';
  const [name, property] = owner.split('.') as [string, string?];
  return name === 'globalThis' ? 'globalThis' : property ? `globalThis.${name}?.${property}` : `globalThis.${name}`;
}
