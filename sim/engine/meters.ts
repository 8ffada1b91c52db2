/**
 * The builtins that are metered, and how much work a call of each is: its price is for the call itself and for what it
 * goes through (elements, arguments, calls back, characters of text). Each is
 * replaced by a wrapper when the world is made (prelude.ts), so a builtin costs however it is reached:
 * `a.push(x)`, `var p = Array.prototype.push`, `map(parseInt)`.
 *
 * What is counted is what both engines do at least once for each: JerryScript v2.4.0 ecma-builtin-*.c, Espruino
 * src/jswrap_*.c. Prices are data (`costs/`).
 */

/**
 * What is counted, by the end of its feature's name: JavaScript over `t` (the receiver), `a` (the arguments), `r` (the
 * result) and `n` (how often a callback was called).
 */
type Counts = Readonly<Record<string, string>>;

export interface Meter {
  /** Where the builtin is found, as an expression of the world. */
  owner: string;
  name: string;
  feature: string;
  counts: Counts;
  /** Its first argument is called back: calls are counted. */
  callsBack: boolean;
}

const unit = (expression: string): Counts => ({ unit: expression });
const characters = (expression: string): Counts => ({ character: expression });
const length = unit('L(t)');
/** Elements that a fill goes through: JerryScript's those between its start and its end, Espruino's all. */
const stretch = unit('R(t,a[1],a[2])');
const result = unit('L(r)');
const given = unit('a.length');
const called = unit('n');
const passed = unit('(r<0?L(t):r+1)');
const written = characters('L(r)');
const read = characters('L(t)');
/** Fractions take another way than whole numbers. */
const fraction: Counts = { fraction: 'F(a)' };
/** Where each key is looked for among those before it. */
const keys: Counts = { unit: 'K(a[0])', pair: 'K(a[0])*(K(a[0])-1)/2' };
/** A pair is an object's: its key is looked for among those before it. */
const json: Counts = { value: 'V(j)', fraction: 'D(j)', character: 'L(j)', pair: "C(j,':')" };
/** Places that were tried, characters that fitted, groups that are handed out. */
const matched = (text: string): Counts => ({
  unit: `(r?r.index+1||L(${text}):L(${text}))`,
  character: '(r?L(r[0]):0)',
  group: 'L(r)',
});

type Row = readonly [names: string, counts?: Counts];

const tables: readonly (readonly [owner: string, group: string, rows: readonly Row[]])[] = [
  [
    'Array.prototype',
    'Array',
    [
      ['push unshift', given],
      ['pop'],
      ['shift', length],
      ['slice concat flat', result],
      ['splice', unit('L(t)+L(r)')],
      ['indexOf lastIndexOf', passed],
      ['includes', length],
      ['join', { ...length, ...written }],
      ['reverse', length],
      ['fill copyWithin', stretch],
      ['forEach map filter some every find findIndex reduce reduceRight flatMap', called],
      ['keys entries values'],
    ],
  ],
  [
    'Object.getPrototypeOf(Uint8Array.prototype)',
    'Typed',
    [
      ['set', unit('L(a[0])')],
      ['subarray'],
      ['reverse', length],
      ['fill copyWithin', stretch],
      ['slice', result],
      ['indexOf lastIndexOf', passed],
      ['includes', length],
      ['join', { ...length, ...written }],
      ['sort', unit('L(t)*Q(L(t))')],
      ['forEach map filter some every find findIndex reduce reduceRight', called],
      ['keys entries values'],
    ],
  ],
  [
    'String.prototype',
    'String',
    [
      ['charCodeAt charAt codePointAt', unit('I(a[0])')],
      ['substring substr slice trim repeat padStart padEnd toUpperCase toLowerCase', written],
      ['indexOf', characters('(r<0?L(t):r+1)')],
      ['lastIndexOf includes endsWith localeCompare', read],
      ['startsWith', characters('L(a[0])')],
      ['split', { ...result, ...read }],
      ['concat', { ...given, ...written }],
      ['replace', { ...read, unit: 'L(r)' }],
      ['search', read],
      ['match', matched('t')],
    ],
  ],
  ['String', 'String', [['fromCharCode', given]]],
  [
    'Number.prototype',
    'Number',
    [
      [
        'toString',
        { character: 'a.length?0:L(r)', radix: 'a.length?1:0', radixCharacter: 'a.length?L(r):0', fraction: 'F([t])' },
      ],
      ['toFixed toPrecision toExponential', { ...written, fraction: 'F([t])' }],
    ],
  ],
  [
    'Math',
    'Math',
    [
      [
        'abs floor ceil round trunc sign fround clz32 imul sqrt cbrt exp log log2 log10 sin cos tan asin acos atan',
        fraction,
      ],
      ['atan2 pow hypot', fraction],
      ['random randInt clip wrap'],
      ['max min', { ...given, ...fraction }],
    ],
  ],
  [
    'Object',
    'Object',
    [
      ['keys values entries getOwnPropertyNames freeze', keys],
      ['assign', { unit: 'K(a[1])', pair: 'K(a[1])*(K(a[1])-1)/2' }],
      ['create defineProperty getPrototypeOf setPrototypeOf getOwnPropertyDescriptor'],
    ],
  ],
  ['Object.prototype', 'Object', [['hasOwnProperty toString']]],
  ['Array', 'Array', [['isArray'], ['from of', result]]],
  ['Number', 'Number', [['isInteger isNaN isFinite isSafeInteger']]],
  [
    'JSON',
    'JSON',
    [
      ['stringify', json],
      ['parse', json],
    ],
  ],
  ['Date', 'Date', [['now parse']]],
  [
    'Date.prototype',
    'Date',
    [
      ['getTime valueOf toISOString toString'],
      ['getFullYear getMonth getDate getDay getHours getMinutes getSeconds getMilliseconds'],
      ['getUTCFullYear getUTCMonth getUTCDate getUTCDay getUTCHours getUTCMinutes getUTCSeconds'],
    ],
  ],
  [
    'DataView.prototype',
    'DataView',
    [
      ['getUint8 getInt8 getUint16 getInt16 getUint32 getInt32 getFloat32 getFloat64'],
      ['setUint8 setInt8 setUint16 setInt16 setUint32 setInt32 setFloat32 setFloat64'],
    ],
  ],
  [
    'Map.prototype',
    'Map',
    [
      ['get set has delete', unit('t.size')],
      ['forEach', called],
    ],
  ],
  [
    'Set.prototype',
    'Set',
    [
      ['has add delete', unit('t.size')],
      ['forEach', called],
    ],
  ],
  [
    'RegExp.prototype',
    'RegExp',
    [
      ['exec', matched('a[0]')],
      ['test', characters('L(a[0])')],
    ],
  ],
  ['Function.prototype', 'Function', [['call'], ['apply', unit('L(a[1])')], ['bind', given]]],
  [
    'globalThis',
    'global',
    [
      ['parseInt', characters('L(a[0])')],
      ['parseFloat', { ...characters('L(a[0])'), fraction: 'F([r])' }],
      ['isNaN isFinite'],
    ],
  ],
];

const callsBack = /^(forEach|map|filter|some|every|find|findIndex|reduce|reduceRight|flatMap)$/;

/** Builtins that cost alike share a feature. */
const alike: Readonly<Record<string, string>> = {
  'DataView.getInt8': 'DataView.getUint8',
  'DataView.getUint16': 'DataView.getUint8',
  'DataView.getInt16': 'DataView.getUint8',
  'DataView.getInt32': 'DataView.getUint32',
  'DataView.getFloat64': 'DataView.getFloat32',
  'DataView.setInt8': 'DataView.setUint8',
  'DataView.setUint16': 'DataView.setUint8',
  'DataView.setInt16': 'DataView.setUint8',
  'DataView.setInt32': 'DataView.setUint32',
  'DataView.setFloat64': 'DataView.setFloat32',
  'String.substr': 'String.substring',
  'String.slice': 'String.substring',
  'Math.cos': 'Math.sin',
  'Date.valueOf': 'Date.getTime',
  ...Object.fromEntries(
    ['Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds', 'FullYear'].flatMap((field) => [
      [`Date.get${field}`, 'Date.getField'],
      [`Date.getUTC${field}`, 'Date.getUTCField'],
    ]),
  ),
};

export const meters: readonly Meter[] = tables.flatMap(([owner, group, rows]) =>
  rows.flatMap(([names, counts = {}]) =>
    names.split(' ').map((name) => ({
      owner,
      name,
      feature: alike[`${group}.${name}`] ?? `${group}.${name}`,
      counts,
      callsBack: callsBack.test(name) && group !== 'String',
    })),
  ),
);

/** The features of all meters and of the sort that each engine has of its own. */
export const meterFeatures: readonly string[] = [
  ...new Set([
    ...meters.flatMap(({ feature, counts }) => [feature, ...Object.keys(counts).map((end) => `${feature}.${end}`)]),
    ...['Array.sort', 'Array.sort.unit', 'Array.sort.comparison', 'Array.sort.textComparison'],
  ]),
];
