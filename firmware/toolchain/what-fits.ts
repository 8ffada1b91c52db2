/**
 * What of a program would fit a board that it does not fit as it was asked for: without telemetry, with another policy.
 * Each combination is bundled and held to the same limits.
 */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { PolicyName } from '../src/policies/index.ts';
import { type Bundle, type BundleOptions, bundle } from './bundle.ts';
import { codeAreaProblem, estimateMemory, memoryProblem } from './estimate.ts';

/** The Problem that refuses a bundle which does not fit its board's code area or memory; null when it fits. */
export function sizeProblem(built: Bundle, board: Board, inRam: boolean): Problem | null {
  const memory = estimateMemory(built, board, { inRam });
  return (
    (inRam ? null : codeAreaProblem(built.bytes, board, built.usesHeap)) ?? (memory && memoryProblem(memory, board))
  );
}

/** The policy with the smallest bundle (test/toolchain/sizes.golden.json). */
const leanest: PolicyName = 'first-fit';

/** The same Problem with the options that would make the program fit, or by how much the smallest form of it does not. */
export async function withWhatFits(problem: Problem, built: Bundle, options: BundleOptions, inRam: boolean) {
  if (problem.exitCode !== exitCodes.tooBig || !built.usesHeap) return problem;
  const level = options.telemetry ?? 'events';
  const tried = [
    { policy: built.policy, telemetry: 'off' },
    { policy: leanest, telemetry: level },
    { policy: leanest, telemetry: 'off' },
  ] as const;
  const ways: string[] = [];
  let smallest: Problem | null = null;
  for (const { policy, telemetry } of tried) {
    const words = [
      ...(policy === built.policy ? [] : [`--policy ${policy}`]),
      ...(telemetry === level ? [] : [`--telemetry ${telemetry}`]),
    ].join(' ');
    if (words === '' || ways.includes(words)) continue;
    smallest = sizeProblem(await bundle({ ...options, policy, telemetry }), options.board, inRam);
    if (smallest === null) ways.push(words);
  }
  if (ways.length > 0) {
    const advice = `Nothing was sent to the board. Flash it with ${ways[0]}.`;
    return new Problem(
      problem.exitCode,
      problem.message,
      [...problem.facts, `it fits with ${ways.join(', or with ')}`],
      advice,
    );
  }
  const facts = smallest ? [`with ${leanest} and without telemetry: ${smallest.facts.join('; ')}`] : [];
  const advice = 'Nothing was sent to the board. Make the program or its arenas smaller, or take a larger board.';
  return new Problem(problem.exitCode, problem.message, [...problem.facts, ...facts], advice);
}
