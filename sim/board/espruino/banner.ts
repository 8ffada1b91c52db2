/** What Espruino prints when it starts. Source: espruino/Espruino@c5ff787b1 src/jsinteractive.c jsiSemiInit. */
import type { Board } from '../../../boards/board.ts';

/** Boards whose build defines ESPR_OFFICIAL_BOARD (boards/*.py); the others ask for support. */
const official = new Set(['pico_r1_3', 'espruinowifi', 'puckjs', 'pixljs', 'banglejs2']);

export function bootBanner(board: Board): string {
  const lines = [
    '\x1b[?7l',
    ' ____                 _ ',
    '|  __|___ ___ ___ _ _|_|___ ___ ',
    '|  __|_ -| . |  _| | | |   | . |',
    '|____|___|  _|_| |___|_|_|_|___|',
    '         |_| espruino.com',
    ` ${board.engineVersion} (c) 2026 G.Williams`,
    '',
  ];
  const asking = [
    '',
    'Espruino is Open Source. Our work is supported',
    'only by sales of official boards and donations:',
    'http://espruino.com/Donate',
    '',
  ];
  return [...lines.slice(0, -1), ...(official.has(board.id) ? [''] : asking)].join('\n');
}
