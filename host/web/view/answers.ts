/** What is wrong, in sentences: leaks with their evidence, fragmentation, failed requests, losses. */
import { bytesText, countText, durationText, percentText, plural } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { el, setText } from './dom.ts';

type Grade = 'bad' | 'warning' | 'fine';
interface Answer {
  grade: Grade;
  text: string;
}

/** A peak above this part of the arena leaves little room for another day. */
const TIGHT = 0.9;
const GRADE_WORDS: Record<Grade, string> = { bad: 'Problem', warning: 'Look at', fine: 'Fine' };

export class Answers {
  readonly root: HTMLElement;
  readonly #list = el('ul', { class: 'answers', 'aria-label': 'What it means' });
  /** Announces an answer when it is new, not each time a figure in it changes. */
  readonly #news = el('p', { class: 'unseen', role: 'status' });
  #shown = '';
  #known = new Set<string>();

  constructor() {
    this.root = el('div', {}, this.#list, this.#news);
  }

  show(board: Board): void {
    const answers = answersFor(board);
    const next = JSON.stringify(answers);
    if (next === this.#shown) return;
    this.#shown = next;
    this.#announce(answers);
    this.#list.replaceChildren(
      ...answers.map(({ grade, text }) =>
        el('li', { class: `grade-${grade}` }, el('strong', {}, GRADE_WORDS[grade]), text),
      ),
    );
  }

  #announce(answers: readonly Answer[]): void {
    const kindOf = ({ grade, text }: Answer) => `${grade} ${text.replace(/[\d.,]+/g, '')}`;
    const fresh = answers.filter((answer) => answer.grade !== 'fine' && !this.#known.has(kindOf(answer)));
    this.#known = new Set(answers.map(kindOf));
    if (fresh.length > 0) setText(this.#news, fresh.map(({ text }) => text).join(' '));
  }
}

/** What was to be said at a past moment: of what came after it, nothing. */
function answersThen({ session, moment }: Board): Answer[] {
  const { model } = moment;
  const said: Answer[] = session.answersAt(model).map((text) => ({ grade: 'warning', text }));
  if (model.failures > 0)
    said.unshift({ grade: 'bad', text: `${plural(model.failures, 'request')} had failed by then.` });
  if (said.length > 0) return said;
  return [{ grade: 'fine', text: `Nothing to say at this moment, after ${countText(model.operations)} operations.` }];
}

function answersFor(board: Board): Answer[] {
  if (board.moment.isPast) return answersThen(board);
  const { session, state, reason } = board;
  const { model } = session;
  const said: Answer[] = [];
  const say = (grade: Grade, text: string) => said.push({ grade, text });
  if (state === 'lost') say('bad', `The line is lost: ${reason ?? 'no reason was given'}. It is waited for.`);
  else if (state === 'ended' && reason !== null) say('warning', reason);
  if (session.noise !== null) say('warning', `${session.noise}.`);
  if (model.arenaBytes === 0) {
    if (said.length === 0) say('fine', 'No heap was heard yet.');
    return said;
  }
  const { lastFailure } = session;
  const { failures } = session.figures();
  if (lastFailure !== null) {
    const { sizeBytes: size, site, freeBytes, largestFreeBytes, elapsedMs, holder } = lastFailure;
    const at = site === 0 ? '' : ` at ${session.siteName(site)}`;
    const why =
      freeBytes < size
        ? `only ${bytesText(freeBytes)} were free`
        : `${bytesText(freeBytes)} were free, in pieces of ${bytesText(largestFreeBytes)} at most`;
    const most =
      holder === null
        ? ''
        : ` Most was held by ${holder.site === 0 ? 'blocks without a site' : session.siteName(holder.site)}: ${bytesText(holder.liveBytes)} in ${plural(holder.liveBlocks, 'block')}.`;
    say(
      'bad',
      `${plural(failures, 'request')} failed. The latest at ${durationText(elapsedMs)}: ${bytesText(size)} asked${at}, ${why}.${most}`,
    );
  } else if (failures > 0) say('bad', `${plural(failures, 'request')} failed.`);
  if (model.misuses > 0) {
    say(
      'bad',
      `${plural(model.misuses, 'free or realloc', 'frees or reallocs')} named no live block: a double free, or a write past a block's end.`,
    );
  }
  for (const answer of session.answers()) say('warning', answer);
  const peak = model.peakLiveBytes / model.arenaBytes;
  if (peak > TIGHT && failures === 0) say('warning', `The peak took ${percentText(peak)} of the arena.`);
  const line = session.line();
  const lost = line.framesLost + line.framesBad + line.eventsDropped;
  if (lost > 0) {
    say(
      'warning',
      `Lost on the way: ${plural(line.framesLost + line.framesBad, 'frame')}, dropped by the board: ${plural(line.eventsDropped, 'event')}. The map is ${model.exact ? 'exact again' : 'not exact'}.`,
    );
  }
  if (said.length === 0) {
    say(
      'fine',
      `No leak, no fragmentation worth words, no failed request in ${countText(model.operations)} operations; nothing was lost.`,
    );
  }
  return said;
}
