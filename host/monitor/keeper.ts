/**
 * Between a line and its session: the recording, when there is one, gets the bytes as they came, before anyone understood
 * them, then the marks of who watches and the call sites of the bundle that the board says it runs.
 */
import { recallBundle } from '../bundle-store.ts';
import type { RecordingWriter } from '../recording/writer.ts';
import type { Session } from './session.ts';

export class Keeper {
  readonly session: Session;
  readonly record: RecordingWriter | null;
  readonly #tables = new Set<number>();
  #saidProblem = false;

  constructor(session: Session, record: RecordingWriter | null) {
    this.session = session;
    this.record = record;
  }

  hear(bytes: Uint8Array): void {
    const { session } = this;
    this.record?.line(bytes, Date.now());
    session.push(bytes);
    if (this.record === null) return;
    this.#keepSites(this.record);
    this.record.decoded(session.decoder, session.model);
    if (this.record.problem === null || this.#saidProblem) return;
    this.#saidProblem = true;
    const { message, facts } = this.record.problem;
    session.say(`${message}: ${facts.join(', ')}; it ends here`);
  }

  /** A mark at this moment, numbered when it has no text. */
  mark(text?: string): void {
    const { session } = this;
    const said = session.setMark(text);
    this.record?.mark({ hostMs: Date.now(), atMs: session.model.atMs, text: said });
  }

  /** The file is complete. */
  close(): void {
    this.record?.close();
  }

  #keepSites(record: RecordingWriter): void {
    const bundleId = this.session.model.lastHello?.bundleId ?? 0;
    if (bundleId === 0 || this.#tables.has(bundleId)) return;
    this.#tables.add(bundleId);
    const bundle = recallBundle(bundleId);
    if (bundle === undefined) return;
    const sites = Object.fromEntries(bundle.sites.map(({ site, file, line }) => [site, `${file}:${line}`]));
    record.sites({ bundleId, program: bundle.program, sites });
  }
}
