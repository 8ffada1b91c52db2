/**
 * What every page that is a file has: the head, the policy, the data, the script. The policy allows the page its own
 * script and style, by their hashes, and nothing else, so that not even a mistake in escaping would reach out.
 *
 * Text from a board passes `html` or, in the page's JSON, `scriptJson` (escape.ts).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, Problem } from '../../../boards/problem.ts';
import { packageRoot } from '../../../boards/root.ts';
import { html, scriptJson } from '../escape.ts';

export interface PageParts {
  title: string;
  /** Of the element with the class `body`: HTML. */
  body: string;
  /** What the script draws. */
  data: unknown;
}

export function pageHtml({ title, body, data }: PageParts): string {
  const script = built('report-client.js').replaceAll('</script', '<\\/script');
  const style = built('report-client.css');
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Heapglass: ${html(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
<footer>Made by Heapglass. This file is whole: it loads nothing.</footer>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

const hash = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/** A file that `npm run build` made. */
function built(name: string): string {
  try {
    return readFileSync(join(packageRoot, 'dist', name), 'utf8');
  } catch (error) {
    throw new Problem(
      exitCodes.missing,
      'the pages of Heapglass are not built',
      [(error as Error).message],
      'Run `npm run build`.',
    );
  }
}
