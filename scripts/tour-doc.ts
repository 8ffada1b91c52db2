/** Writes docs/tour.md from the lessons: `npx tsx scripts/tour-doc.ts`. A test says when it is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../boards/root.ts';
import { momentText } from '../host/commands/tour.ts';
import { lessons, moments } from '../host/tour/lessons.ts';

export const documentPath = join(packageRoot, 'docs', 'tour.md');

export function tourDocument(): string {
  const chapters = lessons.map((lesson) => {
    const steps = [...moments([lesson])].map((moment) => momentText(moment, false)).join('');
    return `## ${lesson.title}\n\n\`heapglass tour ${lesson.name}\` (policy \`${lesson.policy}\`)\n\n\`\`\`\n${steps.trimEnd()}\n\`\`\`\n`;
  });
  return `# Tour

<!-- Written by \`npx tsx scripts/tour-doc.ts\` from host/tour/lessons.ts. -->

What malloc and free do, on a heap of 400 bytes. \`heapglass tour\` shows it step by step; every line here is what a real
heap answered. In the maps a character is 8 bytes: \`#\` is bookkeeping, a letter the payload of the block of that name,
\`.\` free.

${chapters.join('\n')}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(documentPath, tourDocument());
