/**
 * Whether a line is a whole statement: brackets are counted outside strings, comments, templates and regular
 * expressions; an unfinished comment or template goes on, an unfinished string does not.
 * Source: espruino/Espruino@c5ff787b1 src/jsinteractive.c jsiCountBracketsInInput.
 */
const pieces =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(\/\*)|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|(["'])|`(?:[^`\\]|\\[\s\S])*`|(`)|\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/|([{[(])|([}\])])|[\w$]+|[^\s]/g;
const goesOn = 1000;
/** Where a slash begins a regular expression: behind these, or at the start. */
const beforeRegExp = /[=({[,;:!&|?+\-*%~^<>]$|^$|\b(?:return|typeof|case|in|of|delete|void|throw|new)$/;

/** How many brackets are open; negative when one closes that none opened. */
export function openBrackets(text: string): number {
  let open = 0;
  let before = '';
  pieces.lastIndex = 0;
  for (let match = pieces.exec(text); match; match = pieces.exec(text)) {
    const [piece, comment, string, template, opening, closing] = match;
    if (comment || template) return goesOn;
    if (string) return 0;
    if (opening) open++;
    if (closing && --open < 0) return open;
    if (piece.length > 1 && piece.startsWith('/') && !/^\/[/*]/.test(piece) && !beforeRegExp.test(before)) {
      // A division: only its slash is taken.
      pieces.lastIndex = match.index + 1;
      before = '/';
    } else if (!/^\/[/*]/.test(piece)) before = piece;
  }
  return open;
}
