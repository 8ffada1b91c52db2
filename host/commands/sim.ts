/** `heapglass sim`: boots a virtual board, with a program or without, and prints what it prints or lets others reach it. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { type ExitCode, exitCodes } from '../../boards/problem.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { parseFaults } from '../../sim/board/faults.ts';
import type { LineBoard } from '../../sim/board/line-board.ts';
import { parsePins } from '../../sim/board/pins.ts';
import { nsPerMs } from '../../sim/board/time.ts';
import { VirtualBoard } from '../../sim/board/virtual-board.ts';
import type { Rp2040Board } from '../../sim/rp2040/rp2040-board.ts';
import { usageProblem } from '../arguments.ts';
import type { Arguments, Command, Io } from '../command.ts';
import { FrameReader } from '../model/frame-reader.ts';
import { printCall } from '../sim/call.ts';
import { listen, parseListen } from '../sim/listen.ts';
import { openPty } from '../sim/pty.ts';
import { bootImage } from '../sim/whole-system.ts';
import { openBoard } from '../transport/sim.ts';
import { PrintedLines } from '../view/escape.ts';
import { plural } from '../view/units.ts';

const defaultBoard = 'kaluma-pico';
const defaultForSeconds = 10;

export const command: Command = {
  name: 'sim',
  summary: 'boots a virtual board, or a real firmware image, and runs a program on it',
  positionals: '[program.js]',
  options: {
    board: { type: 'string', short: 'b', value: 'ID', help: `which board; default ${defaultBoard}` },
    engine: { type: 'string', value: 'NAME', help: 'model (default), or rp2040js: a real firmware image, executed' },
    image: { type: 'string', value: 'FILE', help: 'the UF2 or BIN file that rp2040js executes' },
    bootrom: { type: 'string', value: 'FILE', help: "a real boot ROM for it, in place of Heapglass's own" },
    call: { type: 'string', value: 'CODE', help: 'what this costs once the program is loaded: cycles, memory' },
    xip: { type: 'boolean', help: 'with --call on the Pico: what misses of its flash cache cost is counted as well' },
    seconds: {
      type: 'string',
      value: 'N',
      help: `virtual time to run; default ${defaultForSeconds}; with --listen and --pty wall time, until Ctrl-C if not given`,
    },
    for: { type: 'string', value: 'MS', help: 'the same in milliseconds' },
    listen: { type: 'string', value: 'tcp:PORT', help: 'lets others open the board over TCP, on this machine only' },
    pty: { type: 'boolean', help: 'lets others open the board as a serial device (needs socat)' },
    link: { type: 'string', value: 'PATH', help: 'the path of that device' },
    faults: { type: 'string', value: 'SPEC', help: 'what goes wrong: drop=P,corrupt=P,unplug=AT:MS,... (see below)' },
    pins: {
      type: 'string',
      value: 'SPEC',
      help: 'what the outside does to pins: BTN1=1@1500,BTN1=0@1600,A0=0.4 (see below)',
    },
    seed: { type: 'string', value: 'N', help: 'the seed of all chance; default 1' },
    'real-time': { type: 'boolean', help: 'virtual time keeps to the wall clock; always so with --listen and --pty' },
    fast: { type: 'boolean', help: 'with --listen and --pty: as fast as possible instead' },
    raw: { type: 'boolean', help: 'every byte of the board as it is, telemetry frames too' },
    json: { type: 'boolean', help: 'one JSON object at the end instead of what the board prints' },
  },
  notes: `Faults, with commas between: drop=P, corrupt=P, duplicate=P (a byte, with probability P), noise=P:BYTES,
stall=P:MS, unplug=AT:MS, deafhost=AT:MS (at a time, for a time), brownout=N (in the N+1st flash operation).
Pins, with commas between: PIN=LEVEL@MS, a level from 0 to 1 from that time on; PIN=LEVEL, all the time.

  heapglass sim blink.js --board puckjs
  heapglass sim button.js --board puckjs --pins BTN1=1@1500,BTN1=0@1600
  heapglass sim fib.js --board kaluma-pico --call 'run(16)' --json
  heapglass sim --board kaluma-pico --listen tcp:4000
  heapglass sim --board pico_r1_3 --pty --link /tmp/ttyESPRUINO
  heapglass sim --engine rp2040js --image kaluma-rp2-pico-1.2.1.uf2 --pty
`,
  run,
};

async function run(args: Arguments, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 1) throw usageProblem('sim', 'there is more than one program');
  if (args.text('seconds') !== undefined && args.text('for') !== undefined) {
    throw usageProblem('sim', '--seconds and --for say the same: give one of them');
  }
  if (args.text('link') !== undefined && !args.flag('pty')) throw usageProblem('sim', '--link is the path of --pty');
  const call = args.text('call');
  if (call !== undefined) {
    const [path] = args.positionals;
    if (path === undefined) throw usageProblem('sim', '--call needs a program');
    return printCall(
      loadBoard(args.text('board') ?? defaultBoard),
      path,
      call,
      { isJson: args.flag('json'), withFlashCache: args.flag('xip') },
      io,
    );
  }
  const isWhole = isWholeSystem(args);
  const forMs = durationOf(args);
  const board = isWhole ? await bootWhole(args) : await bootModel(args);
  const listenSpec = args.text('listen');
  if (listenSpec !== undefined || args.flag('pty'))
    return serve(board, listenSpec ?? 'tcp:0', !isWhole && !args.flag('fast'), args, io);
  const transport = openBoard(board, { realTime: !isWhole && args.flag('real-time') });
  const isJson = args.flag('json');
  const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  // A character a byte while lines are cut; out go the bytes, which may be UTF-8.
  const printed = new PrintedLines((line) => io.out(Buffer.from(`${line}\n`, 'latin1')));
  let printedBytes = 0;
  let frames = 0;
  const reader = new FrameReader({
    frame: () => {
      frames++;
    },
    text: (bytes) => {
      if (!isJson) printed.push(latin1(bytes));
    },
    damaged: () => {},
  });
  transport.onData((bytes) => {
    printedBytes += bytes.length;
    if (!args.flag('raw')) reader.push(bytes);
    else if (!isJson) io.out(bytes);
  });
  io.signal.addEventListener('abort', () => void transport.close());
  await transport.clock.sleep(forMs ?? defaultForSeconds * 1000);
  await transport.close();
  printed.end();
  if (isJson) io.out(`${JSON.stringify({ ...stateOf(board), printedBytes }, null, 2)}\n`);
  else if (frames > 0) io.err(notShown(frames, board.board.id, args.positionals[0]));
  const death = deathOf(board);
  if (death !== null) {
    io.err(`heapglass: the board is dead: ${death}. Only a power cycle helps.\n`);
    return exitCodes.failed;
  }
  return io.signal.aborted ? exitCodes.interrupted : exitCodes.done;
}

function notShown(frames: number, boardId: string, program: string | undefined): string {
  const how = `heapglass monitor sim:${boardId}${program === undefined ? '' : ` --program ${program}`}`;
  return `\n${plural(frames, 'telemetry frame')} not shown; \`${how}\` draws the heap from them.\n`;
}

/** What --for or --seconds asks for. */
function durationOf(args: Arguments): number | undefined {
  const seconds = args.number('seconds');
  return args.number('for') ?? (seconds === undefined ? undefined : seconds * 1000);
}

function isWholeSystem(args: Arguments): boolean {
  const engine = args.text('engine') ?? 'model';
  if (engine !== 'model' && engine !== 'rp2040js') {
    throw usageProblem('sim', `--engine is model or rp2040js, not "${engine}"`);
  }
  if (engine === 'model' && (args.text('image') ?? args.text('bootrom')) !== undefined) {
    throw usageProblem('sim', '--image and --bootrom belong to --engine rp2040js');
  }
  return engine === 'rp2040js';
}

/** The board with its program on flash, just powered up. */
async function bootModel(args: Arguments): Promise<VirtualBoard> {
  const { facts, options } = await wishesOf(args);
  return createVirtualBoard(facts, options);
}

async function bootWhole(args: Arguments): Promise<Rp2040Board> {
  const { facts, options } = await wishesOf(args);
  return bootImage(facts, { imagePath: args.text('image'), bootromPath: args.text('bootrom') }, options);
}

async function wishesOf(args: Arguments) {
  const facts = loadBoard(args.text('board') ?? defaultBoard);
  const faults = parseFaults(args.text('faults') ?? '');
  const pinChanges = parsePins(args.text('pins') ?? '', facts);
  const [path] = args.positionals;
  const program = path === undefined ? undefined : (await bundle({ entry: path, board: facts })).code;
  return {
    facts,
    options: { seed: args.number('seed') ?? 1, faults, pinChanges, ...(program !== undefined && { program }) },
  };
}

async function serve(
  board: LineBoard,
  listenSpec: string,
  realTime: boolean,
  args: Arguments,
  io: Io,
): Promise<ExitCode> {
  const listener = await listen(board, parseListen(listenSpec), {
    realTime,
    onClient: (text) => io.err(`${text}\n`),
  });
  const forMs = durationOf(args);
  const path = args.text('link') ?? join(tmpdir(), `heapglass-${board.board.id}-${listener.port}`);
  try {
    const pty = args.flag('pty') ? await openPty(path, listener.port) : null;
    const address = `tcp://${listener.host}:${listener.port}`;
    const ready = { board: board.board.id, address, ...(pty && { device: pty.path }) };
    io.out(args.flag('json') ? `${JSON.stringify(ready)}\n` : `${board.board.name} at ${pty?.path ?? address}\n`);
    if (forMs === undefined) io.err('Ctrl-C ends it.\n');
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve();
      io.signal.addEventListener('abort', () => resolve());
      if (forMs !== undefined) timer = setTimeout(resolve, forMs);
    });
    clearTimeout(timer);
    await pty?.close();
  } finally {
    await listener.close();
  }
  return exitCodes.done;
}

/** Why the board does nothing more until a power cycle; null while it lives. */
function deathOf(board: VirtualBoard | Rp2040Board): string | null {
  if (board instanceof VirtualBoard) return board.firmware.isDead ? 'its program ran out of memory' : null;
  if (board.halt === null) return null;
  return board.halt === 'bootLoader' ? 'it went to its boot loader' : 'its firmware stopped at a fatal error';
}

function stateOf(board: VirtualBoard | Rp2040Board): Record<string, unknown> {
  const engine = board instanceof VirtualBoard ? board.firmware.engine : null;
  return {
    board: board.board.id,
    seed: board.seed,
    virtualMs: board.nowNs / nsPerMs,
    cycles: board instanceof VirtualBoard ? (engine?.cycles ?? null) : board.cycles,
    instructions: engine?.instructions ?? null,
    heapBytes: engine?.heapBytes ?? null,
    jsvars: engine?.jsvars ?? null,
    lostBytes: { toBoard: board.line.overflowedBytes, toHost: board.line.unheardBytes },
    powerCycles: board.powerCycles,
    isDead: deathOf(board) !== null,
  };
}
