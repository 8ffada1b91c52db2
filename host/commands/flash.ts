/** `heapglass flash`: a program onto a board by the board's own protocol, and the board's word that it is there. */
import { resolve } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';
import type { Arguments, Command, Io } from '../command.ts';
import { choosePort, listPorts } from '../flash/choose-port.ts';
import { Flashing, levels, namedOptions, type Plan, prepare, ramOnKaluma } from '../flash/flashing.ts';
import { checkSource, readBytes } from '../flash/prepare.ts';
import { PortFollower } from '../transport/follow.ts';

/** Checks what the command line asks for. A usage Problem otherwise. */
function planOf(args: Arguments): Plan {
  const [program = null, ...more] = args.positionals;
  const wrong = (problem: string) => usageProblem('flash', problem);
  namedOptions(args);
  if (more.length > 0) throw wrong('it takes one program');
  const plan: Plan = {
    program,
    restore: args.text('restore') ?? null,
    backup: args.text('backup') ?? null,
    port: args.text('port') ?? null,
    board: args.text('board') === undefined ? null : loadBoard(args.text('board')!),
    inRam: args.flag('ram'),
    isErase: args.flag('erase'),
    isJson: args.flag('json'),
    isWatch: args.flag('watch'),
    isMonitor: args.flag('monitor') || args.text('seconds') !== undefined,
    forMs: args.text('seconds') === undefined ? null : args.number('seconds', 1)! * 1000,
    isDryRun: args.flag('dry-run'),
  };
  if (args.number('baud') === 1200) throw wrong('1200 baud reboots RP2040 boards into their boot loader');
  if (plan.program !== null && plan.restore !== null)
    throw wrong('it flashes a program or restores a backup, not both');
  if (plan.isErase && (plan.program ?? plan.restore) !== null)
    throw wrong('--erase takes no program: it removes the stored one');
  if ((plan.program ?? plan.restore ?? plan.backup) === null && !plan.isErase) throw wrong('it needs a program');
  const source = plan.program ?? plan.restore;
  if (plan.backup !== null && source !== null && resolve(plan.backup) === resolve(source))
    throw wrong('--backup would write over what is flashed: give it another file');
  if (plan.isWatch && plan.program === null) throw wrong('--watch needs a program');
  if (plan.isDryRun && plan.port !== null) throw wrong('--dry-run uses a virtual board: it takes --board, not --port');
  if (plan.isDryRun && plan.board === null) throw wrong('--dry-run needs --board');
  if (plan.inRam && plan.board?.engine === 'kaluma') throw ramOnKaluma();
  return plan;
}

const foundPort = async ({ board }: Plan, io: Io): Promise<string> =>
  choosePort(await listPorts(), io, { boardId: board?.id ?? null });

export const command: Command = {
  name: 'flash',
  summary: 'bundles a program, checks that it fits, flashes it, verifies it, starts it',
  positionals: '<program.js>',
  options: {
    port: {
      type: 'string',
      short: 'p',
      value: 'PORT',
      help: '/dev/ttyACM0, COM3, tcp://HOST:PORT, rfc2217://HOST:PORT, sim:BOARD, rp2040js:IMAGE; found if not given',
    },
    board: { type: 'string', short: 'b', value: 'ID', help: 'the board; asked from what is on the port if not given' },
    baud: { type: 'string', value: 'N', help: "the line's rate; the board's own if --board is given, else 115200" },
    policy: { type: 'string', value: 'NAME', help: `the allocator: ${policyNames.join(', ')}` },
    telemetry: { type: 'string', value: 'LEVEL', help: `${levels.join(', ')}; events if not given` },
    native: { type: 'boolean', help: 'Espruino: the allocator as machine code; interpreted where a board has none' },
    monitor: { type: 'boolean', short: 'm', help: 'watch the heap live as soon as the program runs' },
    seconds: { type: 'string', value: 'N', help: 'watch for so long, then end' },
    watch: { type: 'boolean', short: 'w', help: 'flash again whenever a source file changes' },
    ram: { type: 'boolean', help: 'Espruino: into RAM only, gone at the next reset' },
    'dry-run': { type: 'boolean', help: 'everything, on a virtual board' },
    backup: { type: 'string', value: 'FILE', help: 'first save the program that the board holds' },
    restore: { type: 'string', value: 'FILE', help: 'flash the bytes of FILE as they are: a backup' },
    erase: { type: 'boolean', help: 'remove the program from the board' },
    seed: { type: 'string', value: 'N', help: 'seed of a virtual board' },
    faults: { type: 'string', value: 'SPEC', help: 'faults of a virtual board, as `sim --faults` takes them' },
    json: { type: 'boolean', help: 'one JSON object with what was done' },
  },
  notes: `Success means that the board was asked what it holds, and that it is what was sent: length and content.

  heapglass flash app.js
  heapglass flash app.js --monitor
  heapglass flash app.js --port tcp://127.0.0.1:4000 --json
  heapglass flash app.js --board puckjs --dry-run
  heapglass flash app.js --native
  heapglass flash --backup before.js --port /dev/ttyACM0
  heapglass flash --restore before.js --port /dev/ttyACM0`,

  async run(args, io) {
    const plan = planOf(args);
    // What is wrong with a program is said before a port is looked for: all of it where the board was named.
    if (plan.program !== null) await (plan.isWatch ? readBytes(plan.program) : checkSource(plan.program));
    if (plan.restore !== null) readBytes(plan.restore);
    const early =
      plan.board && plan.program !== null && !plan.isWatch ? await prepare(plan.program, plan.board, args, io) : null;
    const port = plan.isDryRun ? `sim:${plan.board!.id}` : (plan.port ?? (await foundPort(plan, io)));
    const baud = args.number('baud', 1) ?? plan.board?.console.baud ?? undefined;
    const seed = args.number('seed');
    const faults = args.text('faults');
    const follower = new PortFollower(port, {
      ...(baud !== undefined && { baud }),
      ...(seed !== undefined && { seed }),
      ...(faults !== undefined && { faults }),
    });
    const flashing = new Flashing(plan, args, io, () => follower.open());
    try {
      return await (plan.isWatch ? flashing.onEachChange() : flashing.once(early));
    } finally {
      await flashing.close();
    }
  },
};
