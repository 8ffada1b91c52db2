// Writes docs/cost-model.md from the tables and the fidelity programs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../boards/root.ts';
import { costModelDocument } from '../sim/engine/document.ts';
import { predict, predictWithFlashCache } from '../sim/engine/validate.ts';
import { fidelityPrograms } from '../test/engine/fidelity.ts';

const programs = fidelityPrograms();
const text = costModelDocument(
  predict(programs, 'kaluma'),
  predict(programs, 'espruino'),
  predictWithFlashCache(programs),
);
writeFileSync(join(packageRoot, 'docs', 'cost-model.md'), text);
