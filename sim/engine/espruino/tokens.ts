/**
 * What Espruino's lexer has to do for a stretch of text. It runs from source: every token, its characters, the white
 * space and the comments before it are read again each time the text is executed or passed over.
 *
 * Reference: espruino/Espruino src/jslex.c (jslGetNextToken, jslSkipWhiteSpace, jslCheckToken).
 */
import { type Comment, type Token, tokenizer, tokTypes } from 'acorn';
import { addTo, type Bag } from '../features.ts';

interface LexedToken {
  start: number;
  bag: Bag;
}

/** First letters after which the lexer compares with reserved words, one call each. */
const reservedWordsByLetter: Record<string, number> = {
  b: 1,
  c: 5,
  d: 4,
  e: 2,
  f: 4,
  i: 3,
  l: 1,
  n: 2,
  o: 1,
  r: 1,
  s: 3,
  t: 5,
  u: 1,
  w: 1,
  v: 2,
};

export class TokenCosts {
  readonly #tokens: LexedToken[] = [];

  constructor(source: string) {
    const comments: Comment[] = [];
    const tokens: Token[] = [];
    for (const token of tokenizer(source, { ecmaVersion: 'latest', onComment: comments })) tokens.push(token);
    let from = 0;
    let comment = 0;
    for (const token of tokens) {
      const bag: Bag = new Map();
      let commentCharacters = 0;
      while (comment < comments.length && (comments[comment] as Comment).start < token.start) {
        const { start, end } = comments[comment++] as Comment;
        commentCharacters += end - start;
        addTo(bag, 'lex.comment');
      }
      addTo(bag, 'lex.comment.char', commentCharacters);
      const space = token.start - from - commentCharacters;
      if (space > 0) {
        addTo(bag, 'lex.space');
        addTo(bag, 'lex.space.char', space);
      }
      addToken(bag, token, source.slice(token.start, token.end));
      this.#tokens.push({ start: token.start, bag });
      from = token.end;
    }
  }

  /** Adds what the tokens that start in [start, end) cost, without those that start in a hole. */
  add(bag: Bag, start: number, end: number, holes: readonly { start: number; end: number }[] = []): void {
    let hole = 0;
    for (let i = this.#at(start); i < this.#tokens.length; i++) {
      const token = this.#tokens[i] as LexedToken;
      if (token.start >= end) return;
      while (hole < holes.length && (holes[hole] as { end: number }).end <= token.start) hole++;
      const here = holes[hole];
      if (here && token.start >= here.start) continue;
      for (const [feature, count] of token.bag) addTo(bag, feature, count);
    }
  }

  /** The first token that starts at `position` or later. */
  #at(position: number): number {
    let low = 0;
    let high = this.#tokens.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#tokens[middle] as LexedToken).start < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function addToken(bag: Bag, token: Token, text: string): void {
  if (token.type === tokTypes.num) {
    addTo(bag, 'lex.number');
    addTo(bag, 'lex.number.char', text.length - 1);
    if (text.includes('.')) addTo(bag, 'lex.float');
  } else if (token.type === tokTypes.string || token.type === tokTypes.template) {
    addTo(bag, 'lex.string');
    addTo(bag, 'lex.string.char', text.length);
  } else if (/^[A-Za-z_$]/.test(text)) {
    addTo(bag, 'lex.name');
    addTo(bag, 'lex.name.char', text.length - 1);
    if (text.length > 1) addTo(bag, 'lex.name.reserved', reservedWordsByLetter[text[0] as string] ?? 0);
  } else {
    addTo(bag, 'lex.mark');
    if (text.length > 1) addTo(bag, 'lex.mark.char', text.length - 1);
  }
}
