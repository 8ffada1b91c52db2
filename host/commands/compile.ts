/** `heapglass compile`: a policy as native Thumb code; its listing, its blob, or an object for C firmware. */
import { readFileSync } from 'node:fs';
import { cannotRead, exitCodes } from '../../boards/problem.ts';
import { isPolicyName, type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { packBlob } from '../../firmware/toolchain/native/blob.ts';
import { type Cpu, cpus } from '../../firmware/toolchain/native/compile.ts';
import { listing } from '../../firmware/toolchain/native/listing.ts';
import { loopCounts } from '../../firmware/toolchain/native/loop-bounds.ts';
import { assemblerFile, headerFile } from '../../firmware/toolchain/native/object.ts';
import { compilePolicy, coreCodeBytes } from '../../firmware/toolchain/native/policy.ts';
import { cortexM0Plus, cortexM4 } from '../../firmware/toolchain/native/timing.ts';
import { worstCases } from '../../firmware/toolchain/native/wcet.ts';
import { usageProblem } from '../arguments.ts';
import { ampleArenaBytes } from '../bench/cycles.ts';
import { nativeMeter } from '../bench/native.ts';
import type { Command } from '../command.ts';
import { verifyBlob } from '../native/verify-blob.ts';
import { makeFolder, writeOutput } from '../output-file.ts';
import { readTrace, type Trace } from '../trace/trace.ts';

/** What RAM of a Cortex-M holds at most, generously. */
const MOST_ARENA_BYTES = 1 << 24;

export const command: Command = {
  name: 'compile',
  summary: 'a policy as native code for Cortex-M: listing, blob, or object for C',
  positionals: '',
  options: {
    cpu: { type: 'string', value: 'CPU', help: `${cpus.join(' or ')}; cortex-m0plus if not given, which runs on all` },
    policy: { type: 'string', value: 'NAME', help: `tlsf if not given; ${policyNames.join(', ')}` },
    checks: {
      type: 'boolean',
      help: 'tlsf holds links and headers against a second place, as it does in JavaScript: larger and slower',
    },
    disassemble: { type: 'boolean', help: 'the annotated listing: source lines, sizes, cycles' },
    wcet: { type: 'boolean', help: 'bounds on the cycles of each call, from the machine code' },
    trace: {
      type: 'string',
      value: 'FILE',
      help: 'with --wcet: the most that calls of this trace took, beside the bounds; with --verify: what is run',
    },
    arena: {
      type: 'string',
      value: 'BYTES',
      help: 'with --wcet: the size of the arena the bounds are for; with --trace three times its peak and 4 KB if not given',
    },
    bound: {
      type: 'string',
      multiple: true,
      value: 'NAME=COUNT',
      help: 'with --wcet: how often annotated loops run at most, such as blocks=200, where less than the arena allows is known',
    },
    out: { type: 'string', value: 'DIR', help: 'write NAME.bin (blob), NAME.s and NAME.h (for C firmware) there' },
    verify: {
      type: 'string',
      value: 'FILE',
      help: 'hold a blob to its policy on the counting core, before a board with --cpu runs it; needs --trace',
    },
    json: { type: 'boolean', help: 'routines, sizes and the blob in base64 as one JSON object' },
  },
  notes: `  heapglass compile --cpu cortex-m0plus --policy segregated --disassemble
  heapglass compile --policy trie-fit --wcet --arena 4096
  heapglass compile --cpu cortex-m4 --policy tlsf --out build
  heapglass compile --cpu cortex-m4 --policy tlsf --verify build/tlsf.bin --trace lua.trace`,

  async run(args, io) {
    const cpu = cpus.find((known): known is Cpu => known === (args.text('cpu') ?? 'cortex-m0plus'));
    if (!cpu)
      throw usageProblem('compile', `there is no processor "${args.text('cpu')}"`, [`they are ${cpus.join(', ')}`]);
    const policy = args.text('policy') ?? 'tlsf';
    if (!isPolicyName(policy)) {
      throw usageProblem('compile', `there is no policy "${policy}"`, [`the policies are ${policyNames.join(', ')}`]);
    }
    const verify = args.text('verify');
    if (verify !== undefined) {
      io.out(verifyText(verify, policy, cpu, args.text('trace'), args.flag('json')));
      return exitCodes.done;
    }
    const checks = args.flag('checks');
    const compiled = compilePolicy(policy, cpu, checks);
    const blob = packBlob(compiled);
    const directory = args.text('out');
    if (directory !== undefined) {
      makeFolder(directory, '--out');
      writeOutput(`${directory}/${policy}.bin`, blob, '--out');
      writeOutput(`${directory}/${policy}.s`, assemblerFile(policy, compiled), '--out');
      writeOutput(`${directory}/${policy}.h`, headerFile(policy, compiled), '--out');
      io.err(`wrote ${directory}/${policy}.bin, .s and .h\n`);
    }
    if (args.flag('json')) {
      const { routines, layout } = compiled;
      const result = {
        policy,
        cpu,
        codeBytes: layout.code.length,
        coreCodeBytes: coreCodeBytes(policy, cpu, checks),
        routines,
        blobBase64: Buffer.from(blob).toString('base64'),
      };
      io.out(`${JSON.stringify(result)}\n`);
    } else if (args.flag('wcet')) {
      const tracePath = args.text('trace');
      const trace = tracePath === undefined ? null : readTrace(tracePath);
      const counts = boundCounts(args.list('bound'));
      io.out(await worstCaseTable(policy, cpu, trace, arenaSize(args.text('arena'), trace), counts));
    } else if (args.flag('disassemble')) {
      io.out(listing(compiled));
    } else {
      io.out(
        `${policy} for ${cpu}: ${compiled.layout.code.length} bytes, malloc, free and realloc alone ${coreCodeBytes(policy, cpu, checks)}\n`,
      );
      for (const { name, offset, sizeBytes } of compiled.routines) {
        io.out(`  ${name.padEnd(16)} ${String(sizeBytes).padStart(5)} bytes at ${offset}\n`);
      }
    }
    return exitCodes.done;
  },
};

function verifyText(path: string, policy: PolicyName, cpu: Cpu, tracePath: string | undefined, json: boolean): string {
  if (tracePath === undefined) throw usageProblem('compile', '--verify needs --trace FILE: the operations to run', []);
  const trace = readTrace(tracePath);
  const verified = verifyBlob(readInput(path), policy, cpu, trace, ampleArenaBytes(trace));
  if (json) return `${JSON.stringify({ file: path, policy, trace: trace.name, ...verified })}\n`;
  const { codeBytes, operations, isOurs } = verified;
  return `${path} is ${policy} for ${verified.cpu}, ${codeBytes} bytes: ${operations} operations of ${trace.name} as in JavaScript, the arena equal after each${isOurs ? '' : '; its code is not what this compiler makes'}\n`;
}

function readInput(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw cannotRead(path, error, 'Name a blob that `compile --out` wrote.');
  }
}

function boundCounts(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word) => {
      const [name, count] = word.split('=');
      if (!name || !/^\d+$/.test(count ?? '')) throw usageProblem('compile', `"${word}" is not NAME=COUNT`, []);
      return [name, Number(count)];
    }),
  );
}

/** Null where neither the option nor a trace says it. */
function arenaSize(text: string | undefined, trace: Trace | null): number | null {
  if (text === undefined) return trace && ampleArenaBytes(trace);
  const bytes = Number(text);
  if (!/^\d+$/.test(text) || bytes < 64 || bytes > MOST_ARENA_BYTES) {
    throw usageProblem('compile', `--arena "${text}" is no size of an arena`, [`64 to ${MOST_ARENA_BYTES} bytes`]);
  }
  return bytes;
}

/** One line a call: the bound from the machine code, and the most that was measured. */
async function worstCaseTable(
  policy: PolicyName,
  cpu: Cpu,
  trace: Trace | null,
  arenaBytes: number | null,
  given: Record<string, number>,
): Promise<string> {
  const timing = cpu === 'cortex-m4' ? cortexM4(3) : cortexM0Plus();
  const counts = { ...(arenaBytes === null ? {} : loopCounts(arenaBytes)), ...given };
  const bounds = worstCases(compilePolicy(policy, cpu), timing, counts);
  const measured = trace && arenaBytes ? await (await nativeMeter(cpu))(policy, trace, arenaBytes) : null;
  const arena = arenaBytes === null ? '' : `; an arena of ${arenaBytes} bytes`;
  const over = measured ? `; measured over ${trace!.name}` : '';
  const lines = [`${policy} for ${cpu}, cycles by ${timing.source}${arena}${over}`];
  if (trace && !measured) lines.push(`  ${trace.name} needs a larger arena: nothing is measured`);
  for (const call of ['malloc', 'free', 'realloc'] as const) {
    const bound = bounds.get(call)!;
    const most = measured?.cycles[call]?.max;
    const text = 'cycles' in bound ? `at most ${bound.cycles}` : `no bound: ${bound.unbounded}`;
    lines.push(`  ${call.padEnd(8)} ${text}${most === undefined ? '' : `, measured at most ${most}`}`);
  }
  return `${lines.join('\n')}\n`;
}
