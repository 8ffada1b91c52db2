/** Prices from measured programs: robust, non-negative, and the error of programs that were left out. */
import { priceOf } from '../../sim/engine/features.ts';
import { type Equation, solve } from './least-squares.ts';
import type { Profile } from './programs.ts';

/** A measured figure of a program, and the features that explain it. */
export interface Figure {
  y: number;
  /** The part of it that is known. */
  offset: number;
  /** An error of this size counts as much as one of the whole figure. */
  slack: number;
  x: ReadonlyMap<string, number>;
  weight: number;
}

export type Measured = (profile: Profile) => Figure | null;

const folds = 10;
/** Draws what the programs say little about to nothing; columns are scaled to 1. */
const ridge = 1e-3;
/** Relative errors beyond this weigh less. */
const tolerated = 0.03;
const passes = 4;

/** The table, rounded to so many decimals. */
export function fitPrices(profiles: readonly Profile[], measured: Measured, decimals: number): Record<string, number> {
  const equations = figuresOf(profiles, measured).map(equationOf);
  return Object.fromEntries([...robust(equations)].map(([name, price]) => [name, Number(price.toFixed(decimals))]));
}

/** What tables that were fitted without a program foretell for it: a tenth of the `tested` ones is left out at a time. */
export function crossValidate(
  profiles: readonly Profile[],
  measured: Measured,
  tested: (profile: Profile) => boolean,
): { name: string; predicted: number; measured: number }[] {
  const candidates = profiles.filter(tested);
  return Array.from({ length: folds }, (_, fold) => {
    const left = new Set(candidates.filter((_, at) => at % folds === fold));
    const table = Object.fromEntries(
      robust(
        figuresOf(
          profiles.filter((p) => !left.has(p)),
          measured,
        ).map(equationOf),
      ),
    );
    return [...left].flatMap((profile) => {
      const figure = measured(profile);
      if (figure === null) return [];
      return [
        {
          name: profile.program.name,
          predicted: figure.offset + priceOf(new Map(figure.x), table),
          measured: figure.y,
        },
      ];
    });
  }).flat();
}

function figuresOf(profiles: readonly Profile[], measured: Measured): Figure[] {
  return profiles.map(measured).filter((figure) => figure !== null);
}

function equationOf({ y, offset, slack, x, weight }: Figure): Equation {
  return { x, y: y - offset, weight: weight / (y + slack) };
}

/** Programs far off weigh less in the next pass (Huber's weights): one odd program must not bend the rest. */
function robust(equations: readonly Equation[]): Map<string, number> {
  let solution = solve(equations, ridge);
  for (let pass = 0; pass < passes; pass++) {
    const table = Object.fromEntries(solution);
    const weighed = equations.map((equation) => {
      const error = Math.abs(priceOf(new Map(equation.x), table) - equation.y) * equation.weight;
      return { ...equation, weight: equation.weight * Math.sqrt(Math.min(1, tolerated / error)) };
    });
    solution = solve(weighed, ridge);
  }
  return solution;
}
