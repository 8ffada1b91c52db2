/**
 * docs/allocators.svg: footprint against worst-case work, drawn from the figures that docs/allocators.md prints, so that the
 * picture says what the page says (test/allocator/docs.test.ts). Further up is less memory, further left is less work.
 *
 *   | 90 %      o trie-fit           o compact  |
 *   | 85 %   o best-fit                         |- umm (C)      C allocators: utilisation alone, their cycles are
 *   |        10^5       10^6                    |               of compiled code
 */
import { defaultPolicyName, policyNames } from '../firmware/src/policies/index.ts';

interface Point {
  name: string;
  /** Geometric mean of the recorded traces, in percent. */
  percent: number;
  /** Cycles of the slowest malloc seen, in thousands; null for who is not interpreted. */
  thousands: number | null;
}

/** The figures of the page: the table of geometric means, and the one of cycles. */
function pointsOf(page: string): Point[] {
  const means = page.slice(page.search(/^over \d+ recorded traces/m));
  return means
    .slice(0, means.indexOf('```'))
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [name, , percent] = line.split(/\s{2,}/);
      const cycles = page.match(new RegExp(`^\\| \\[${name}\\]\\([^)]*\\) \\| \\d+ \\| (\\d+) \\|`, 'm'));
      return { name: name!, percent: Number(percent), thousands: cycles ? Number(cycles[1]) : null };
    });
}

const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 60;
const RIGHT = 560;
const TOP = 44;
const BOTTOM = 360;
const LINE = 13;
const LOWEST_PERCENT = 45;
/** About the width of a letter at this size. */
const LETTER = 6.6;

const decadeNames = ['10 thousand', '100 thousand', '1 million', '10 million', '100 million', '1,000 million'];

interface Label {
  x: number;
  y: number;
  width: number;
  /** Where the text is anchored when it ends there; it begins at x otherwise. */
  end?: number;
}

/** The SVG, from the text of docs/allocators.md. */
export function chartOfPage(page: string): string {
  const points = pointsOf(page);
  const policies = points.filter(({ thousands }) => thousands !== null);
  const peers = points.filter(({ thousands }) => thousands === null);
  const worst = Math.max(...policies.map(({ thousands }) => thousands!));
  const decades = Math.max(3, Math.ceil(Math.log10(worst * 1000)) - 4);
  const x = (thousands: number): number => LEFT + ((Math.log10(thousands) - 1) / decades) * (RIGHT - LEFT);
  const y = (percent: number): number =>
    BOTTOM - ((percent - LOWEST_PERCENT) / (100 - LOWEST_PERCENT)) * (BOTTOM - TOP);
  const parts: string[] = [];
  for (let decade = 0; decade <= decades; decade++) {
    const at = x(10 ** (decade + 1)).toFixed(1);
    parts.push(
      `<line x1="${at}" y1="${TOP}" x2="${at}" y2="${BOTTOM}" stroke="#ddd"/><text x="${at}" y="${BOTTOM + 17}" text-anchor="middle">${decadeNames[decade]}</text>`,
    );
  }
  for (let percent = 50; percent <= 100; percent += 10) {
    const at = y(percent).toFixed(1);
    parts.push(
      `<line x1="${LEFT}" y1="${at}" x2="${RIGHT}" y2="${at}" stroke="#ddd"/><text x="${LEFT - 7}" y="${(y(percent) + 4).toFixed(1)}" text-anchor="end">${percent} %</text>`,
    );
  }

  const taken: Label[] = policies.map(({ percent, thousands }) => ({
    x: x(thousands!) - 5,
    y: y(percent) + 4,
    width: 10,
  }));
  for (const { name, percent, thousands } of policies) {
    const cx = x(thousands!);
    const cy = y(percent);
    const width = name.length * LETTER;
    // Beside the dot, else above or below it: the first place that no dot and no label before it has.
    const places: Label[] = [
      { x: cx + 8, y: cy + 4, width },
      { x: cx - 8 - width, y: cy + 4, width, end: cx - 8 },
      { x: cx - width / 2, y: cy - 9, width },
      { x: cx - width / 2, y: cy + 18, width },
    ];
    const isClear = (place: Label): boolean =>
      place.x + width <= RIGHT &&
      taken.every(
        (other) => Math.abs(other.y - place.y) >= LINE || other.x > place.x + width || other.x + other.width < place.x,
      );
    const place = places.find(isClear) ?? places[0]!;
    taken.push(place);
    const weight = name === defaultPolicyName ? ' font-weight="bold"' : '';
    parts.push(
      `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="4.5" fill="#2a6f97"><title>${name}: ${percent} %, ${thousands} thousand cycles</title></circle><text x="${(place.end ?? place.x).toFixed(1)}" y="${place.y.toFixed(1)}"${place.end ? ' text-anchor="end"' : ''}${weight}>${name}</text>`,
    );
  }

  // Their names side by side would meet: each is as high as its figure, or a line below the one before.
  let lowest = 0;
  for (const { name, percent } of peers) {
    const at = y(percent);
    const label = Math.max(at, lowest + LINE);
    lowest = label;
    parts.push(
      `<path d="M${RIGHT - 8} ${at.toFixed(1)}H${RIGHT + 4}L${RIGHT + 24} ${label.toFixed(1)}" fill="none" stroke="#b5651d"/><text x="${RIGHT + 28}" y="${(label + 4).toFixed(1)}" fill="#8a4b12">${name} ${percent.toFixed(1)}</text>`,
    );
  }
  const middle = (LEFT + RIGHT) / 2;
  parts.push(
    `<text x="${LEFT}" y="18" font-weight="bold">How much of the memory is the program's: utilisation, geometric mean of the recorded traces</text>`,
    `<text x="${LEFT}" y="34">Further up needs less memory, further left less time. Bold: the default.</text>`,
    `<text x="${RIGHT + 28}" y="34" fill="#8a4b12">C, memory alone</text>`,
    `<text x="${middle}" y="${BOTTOM + 40}" text-anchor="middle">cycles of the slowest malloc seen, interpreted on kaluma-pico</text>`,
  );
  if (policies.length !== policyNames.length) throw new Error('docs/allocators.md lacks the figures of a policy');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12"><title>Footprint against worst-case work</title><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`;
}
