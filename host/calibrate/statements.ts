/**
 * The statements that `calibrate` times on a board, each in a loop of its own over locals of one letter, so that names
 * and depth cost what they cost in a minified bundle. All are in the subset that both engines run.
 */
export interface Statement {
  name: string;
  /** Runs in the loop; the locals are x, y, z (small integers), i, u (Uint8Array), w (Uint32Array), o, a, f, g. */
  source: string;
}

export const statements: readonly Statement[] = [
  { name: 'copy a local', source: 'y=x' },
  { name: 'store a number', source: 'y=7' },
  { name: 'add', source: 'y=x+z' },
  { name: 'and', source: 'y=x&z' },
  { name: 'shift', source: 'y=x>>>1' },
  { name: 'multiply', source: 'y=x*z' },
  { name: 'increment', source: 'y++' },
  { name: 'test, taken', source: 'if(x<z)y=x' },
  { name: 'test, not taken', source: 'if(z<x)y=x' },
  { name: 'load a byte', source: 'y=u[x]' },
  { name: 'store a byte', source: 'u[x]=z' },
  { name: 'load a word', source: 'y=w[x]' },
  { name: 'store a word', source: 'w[x]=z' },
  { name: 'load from an array', source: 'y=a[x]' },
  { name: 'load a property', source: 'y=o.p' },
  { name: 'store a property', source: 'o.p=z' },
  { name: 'call, no arguments', source: 'f()' },
  { name: 'call, two arguments', source: 'g(x,z)' },
  { name: 'a builtin', source: 'y=Math.min(x,z)' },
  { name: 'a new array of 8 bytes', source: 'y=new Uint8Array(8)' },
];

/** A run takes at least so long, for a clock of microseconds to count it well, ... */
const leastUs = 20_000;
/** ... but no more rounds than this, where the clock stands still. */
const mostRounds = 1 << 20;

/**
 * One line for the prompt (Kaluma takes 1024 characters): times `source`, doubling the rounds until it takes long
 * enough, and prints `<mark|rounds,microseconds|mark>`. The mark is joined on the board, so that an echo is no answer.
 */
export function timingLine(engine: 'espruino' | 'kaluma', source: string, mark: string): string {
  const now = engine === 'espruino' ? 'getTime()*1e6' : 'micros()';
  const locals = 'x=1,y=2,z=3,u=new Uint8Array(8),w=new Uint32Array(8),o={p:1},a=[1,2,3]';
  const loop = `function r(n){var ${locals};function f(){}function g(p,q){}for(var i=0;i<n;i++){${source}}}`;
  // What the call and its locals take (b) is no part of a round.
  const time = `n=8,t=${now},b,d;r(0);b=${now}-t;do{n*=2;t=${now};r(n);d=${now}-t-b}while(d<${leastUs}&&n<${mostRounds})`;
  return `print("<"+"${mark}|"+(function(){${loop}var ${time};return n+","+Math.round(d)})()+"|"+"${mark}>")`;
}
