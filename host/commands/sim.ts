/** `heapglass sim`: boots a virtual board, with a program or without, and prints what it prints or lets others reach it. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { type ExitCode, exitCodes } from '../../boards/problem.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { parseFaults } from '../../sim/board/faults.ts';
import { nsPerMs } from '../../sim/board/time.ts';
import type { VirtualBoard } from '../../sim/board/virtual-board.ts';
import { usageProblem } from '../arguments.ts';
import type { Arguments, Command, Io } from '../command.ts';
import { printCall } from '../sim/call.ts';
import { listen, parseListen } from '../sim/listen.ts';
import { openPty } from '../sim/pty.ts';
import { openSim } from '../transport/sim.ts';

const defaultBoard = 'kaluma-pico';
const defaultForSeconds = 10;

export const command: Command = {
  name: 'sim',
  summary: 'boots a virtual board and runs a program on it',
  positionals: '[program.js]',
  options: {
    board: { type: 'string', short: 'b', value: 'ID', help: `which board; default ${defaultBoard}` },
    call: { type: 'string', value: 'CODE', help: 'what this costs once the program is loaded: cycles, memory' },
    seconds: { type: 'string', value: 'N', help: `virtual time to run; default ${defaultForSeconds}` },
    for: { type: 'string', value: 'MS', help: 'the same in milliseconds' },
    listen: { type: 'string', value: 'tcp:PORT', help: 'lets others open the board over TCP, on this machine only' },
    pty: { type: 'boolean', help: 'lets others open the board as a serial device (needs socat)' },
    link: { type: 'string', value: 'PATH', help: 'the path of that device' },
    faults: { type: 'string', value: 'SPEC', help: 'what goes wrong: drop=P,corrupt=P,unplug=AT:MS,... (see below)' },
    seed: { type: 'string', value: 'N', help: 'the seed of all chance; default 1' },
    'real-time': { type: 'boolean', help: 'virtual time keeps to the wall clock; always so with --listen and --pty' },
    fast: { type: 'boolean', help: 'with --listen and --pty: as fast as possible instead' },
    json: { type: 'boolean', help: 'one JSON object at the end instead of what the board prints' },
  },
  notes: `Faults, with commas between: drop=P, corrupt=P, duplicate=P (a byte, with probability P), noise=P:BYTES,
stall=P:MS, unplug=AT:MS, deafhost=AT:MS (at a time, for a time), brownout=N (in the N+1st flash operation).

  heapglass sim blink.js --board puckjs
  heapglass sim fib.js --board kaluma-pico --call 'run(16)' --json
  heapglass sim --board kaluma-pico --listen tcp:4000
  heapglass sim --board pico_r1_3 --pty --link /tmp/ttyESPRUINO
`,
  run,
};

async function run(args: Arguments, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 1) throw usageProblem('sim', 'there is more than one program');
  if (args.text('seconds') !== undefined && args.text('for') !== undefined) {
    throw usageProblem('sim', '--seconds and --for say the same: give one of them');
  }
  const call = args.text('call');
  if (call !== undefined) {
    const [path] = args.positionals;
    if (path === undefined) throw usageProblem('sim', '--call needs a program');
    return printCall(loadBoard(args.text('board') ?? defaultBoard), path, call, args.flag('json'), io);
  }
  const board = await bootBoard(args);
  const listenSpec = args.text('listen');
  if (listenSpec !== undefined || args.flag('pty')) return serve(board, listenSpec ?? 'tcp:0', args, io);
  const transport = await openSim(board.board.id, { board, realTime: args.flag('real-time') });
  const isJson = args.flag('json');
  let printedBytes = 0;
  transport.onData((bytes) => {
    printedBytes += bytes.length;
    if (!isJson) io.out(Buffer.from(bytes).toString('latin1'));
  });
  io.signal.addEventListener('abort', () => void transport.close());
  await transport.clock.sleep(args.number('for') ?? (args.number('seconds') ?? defaultForSeconds) * 1000);
  await transport.close();
  if (isJson) io.out(`${JSON.stringify({ ...stateOf(board), printedBytes }, null, 2)}\n`);
  if (board.firmware.isDead) {
    io.err('heapglass: the board is dead: its program ran out of memory. Only a power cycle helps.\n');
    return exitCodes.failed;
  }
  return io.signal.aborted ? exitCodes.interrupted : exitCodes.done;
}

/** The board with its program on flash, just powered up. */
async function bootBoard(args: Arguments): Promise<VirtualBoard> {
  const facts = loadBoard(args.text('board') ?? defaultBoard);
  const faults = parseFaults(args.text('faults') ?? '');
  const [path] = args.positionals;
  const program = path === undefined ? undefined : (await bundle({ entry: path, board: facts })).code;
  return createVirtualBoard(facts, {
    seed: args.number('seed') ?? 1,
    faults,
    ...(program !== undefined && { program }),
  });
}

async function serve(board: VirtualBoard, listenSpec: string, args: Arguments, io: Io): Promise<ExitCode> {
  const listener = await listen(board, parseListen(listenSpec), {
    realTime: !args.flag('fast'),
    onClient: (text) => io.err(`${text}\n`),
  });
  const path = args.text('link') ?? join(tmpdir(), `heapglass-${board.board.id}-${listener.port}`);
  try {
    const pty = args.flag('pty') ? await openPty(path, listener.port) : null;
    const address = `tcp://${listener.host}:${listener.port}`;
    const ready = { board: board.board.id, address, ...(pty && { device: pty.path }) };
    io.out(args.flag('json') ? `${JSON.stringify(ready)}\n` : `${board.board.name} at ${pty?.path ?? address}\n`);
    io.err('Ctrl-C ends it.\n');
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve();
      io.signal.addEventListener('abort', () => resolve());
    });
    await pty?.close();
  } finally {
    await listener.close();
  }
  return exitCodes.done;
}

function stateOf(board: VirtualBoard): Record<string, unknown> {
  const { engine, isDead } = board.firmware;
  return {
    board: board.board.id,
    seed: board.seed,
    virtualMs: board.nowNs / nsPerMs,
    cycles: engine?.cycles ?? null,
    instructions: engine?.instructions ?? null,
    heapBytes: engine?.heapBytes ?? null,
    jsvars: engine?.jsvars ?? null,
    lostBytes: { toBoard: board.line.overflowedBytes, toHost: board.line.unheardBytes },
    powerCycles: board.powerCycles,
    isDead,
  };
}
