/**
 * A profile in the format of V8's CPU profiles, which Chrome's DevTools, VS Code and speedscope open: the tree of calls,
 * and one sample a call whose length is the board's time in the function itself.
 *
 * Reference: Chrome DevTools Protocol, Profiler.Profile.
 */
import { pathToFileURL } from 'node:url';
import type { ProfilePlaces } from './places.ts';
import type { ProfiledRun } from './run.ts';

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; scriptId: string; url: string; lineNumber: number; columnNumber: number };
  hitCount: number;
  children: number[];
}

export interface CpuProfile {
  nodes: ProfileNode[];
  /** Microseconds of the board. */
  startTime: number;
  endTime: number;
  samples: number[];
  timeDeltas: number[];
}

export function cpuProfile(run: ProfiledRun, places: ProfilePlaces): CpuProfile {
  const { profile, board, cyclesPerUnit } = run;
  const microsecondsOf = (units: number): number => (units * cyclesPerUnit * 1e6) / board.clockHz;
  const nodes: ProfileNode[] = profile.calls.map((call, at) => {
    const { name, source, line, column } = places.frameOf(call);
    const path = places.pathOf(source);
    return {
      id: at + 1,
      callFrame: {
        functionName: at === 0 ? '(root)' : name,
        scriptId: '0',
        url: path === null ? '' : pathToFileURL(path).href,
        // From 0 here; -1 is no line.
        lineNumber: line - 1,
        columnNumber: column,
      },
      hitCount: call.selfUnits > 0 ? 1 : 0,
      children: [],
    };
  });
  const special = (functionName: string): ProfileNode => {
    const callFrame = { functionName, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 };
    const node = { id: nodes.length + 1, callFrame, hitCount: 1, children: [] };
    nodes.push(node);
    nodes[0]!.children.push(node.id);
    return node;
  };
  profile.calls.forEach(({ parent }, at) => {
    if (at > 0) nodes[parent]!.children.push(at + 1);
  });
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  // A sample's delta is the time before it, so its function ran until it was taken.
  const add = (id: number, units: number): void => {
    if (units <= 0) return;
    samples.push(id);
    timeDeltas.push(microsecondsOf(units));
  };
  profile.calls.forEach(({ selfUnits }, at) => {
    if (at > 0) add(at + 1, selfUnits);
  });
  if (profile.calls[0]!.selfUnits > 0) add(special('(program)').id, profile.calls[0]!.selfUnits);
  if (profile.elsewhereUnits > 0) add(special('(garbage collector)').id, profile.elsewhereUnits);
  const busy = timeDeltas.reduce((sum, delta) => sum + delta, 0);
  const idle = run.ms * 1000 - busy;
  if (idle > 0) {
    samples.push(special('(idle)').id);
    timeDeltas.push(idle);
  }
  return { nodes, startTime: 0, endTime: Math.max(busy, run.ms * 1000), samples, timeDeltas };
}
