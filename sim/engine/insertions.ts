/**
 * Text put into a program without moving a line. Insertions at one place keep the order in which they were made, so a
 * walk that opens outside in and closes inside out nests rightly. Their text is asked for last, when costs are summed.
 */
/** A text with what was put into it. */
export interface InsertedText {
  code: string;
  /** From and to in `code`, in order, apart from each other. */
  inserted: readonly (readonly [from: number, to: number])[];
}

export class Insertions {
  readonly #list: { at: number; text: () => string }[] = [];

  add(at: number, text: string | (() => string)): void {
    this.#list.push({ at, text: typeof text === 'string' ? () => text : text });
  }

  apply(source: string): InsertedText {
    const sorted = this.#list
      .map((insertion, order) => ({ ...insertion, order }))
      .sort((a, b) => a.at - b.at || a.order - b.order);
    const inserted: [number, number][] = [];
    let result = '';
    let from = 0;
    for (const { at, text } of sorted) {
      result += source.slice(from, at);
      const put = text();
      inserted.push([result.length, result.length + put.length]);
      result += put;
      from = at;
    }
    return { code: result + source.slice(from), inserted };
  }
}
