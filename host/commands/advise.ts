/** `heapglass advise`: which policy, arena and board a trace asks for. */
import { exitCodes } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import { candidates, recommend } from '../bench/advise.ts';
import { textTable } from '../bench/bench-table.ts';
import type { Command } from '../command.ts';
import { readTrace } from '../trace/trace.ts';

export const command: Command = {
  name: 'advise',
  summary: 'which policy, arena size and board a trace asks for',
  positionals: '<trace>',
  options: {
    board: { type: 'string', value: 'ID', help: 'this board, instead of the smallest that holds the arena' },
    handles: { type: 'boolean', help: 'consider policies that move blocks: the program must hold handles then' },
    json: { type: 'boolean', help: 'one JSON object: { "recommendation": {...}, "candidates": [...] }' },
  },
  notes: `The arena is the smallest in which the trace completes, and an eighth more for what the trace does not show.

  heapglass advise test/fixtures/traces/lua-queens.trace
  heapglass advise test/fixtures/traces/mqtt-sub.trace --board puckjs --json`,

  async run(args, io) {
    const [path, ...more] = args.positionals;
    if (path === undefined || more.length > 0) throw usageProblem('advise', 'it takes one trace');
    const trace = readTrace(path);
    const found = candidates(trace, args.flag('handles'));
    const recommendation = recommend(trace, found, args.text('board'));
    if (args.flag('json')) {
      io.out(`${JSON.stringify({ recommendation, candidates: found })}\n`);
      return exitCodes.done;
    }
    const { policy, arenaBytes, board, boardBytesLeft, why } = recommendation;
    io.out(
      `${policy} in an arena of ${arenaBytes} bytes on ${board}, which leaves ${boardBytesLeft} bytes\n${why}\n\n`,
    );
    io.out(
      textTable([
        ['policy', 'footprint', 'utilisation %'],
        ...found.map((each) => [
          each.policy,
          String(each.footprintBytes),
          ((100 * trace.peakLiveBytes) / each.footprintBytes).toFixed(1),
        ]),
      ]),
    );
    return exitCodes.done;
  },
};
