// docs/profiling.md is executed: what it says a command prints is what it prints. HEAPGLASS_UPDATE=1 writes it anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command } from '../../host/commands/profile.ts';
import { captureIo } from '../support/io.ts';

const path = join(packageRoot, 'docs/profiling.md');
const shown = /`heapglass profile (test\/[^`]*)` prints:\n\n```\n([\s\S]*?)```/;

test('the profile in docs/profiling.md', async () => {
  const document = readFileSync(path, 'utf8');
  const [, line, printed] = shown.exec(document)!;
  const words = [...line!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const { io, written } = captureIo();
  await command.run(parseArguments(command, [join(packageRoot, words[0]!), ...words.slice(1)]), io);
  if (process.env.HEAPGLASS_UPDATE)
    writeFileSync(
      path,
      document.replace(shown, (all) => all.replace(/\n```\n[\s\S]*$/, `\n\`\`\`\n${written.out}\`\`\``)),
    );
  else expect(printed).toBe(written.out);
});
