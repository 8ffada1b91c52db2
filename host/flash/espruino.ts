/**
 * Flashing Espruino boards: packets where the firmware has them (2v25 and later), Storage writes otherwise, RAM.
 *
 * The program is the Storage file `.bootcde`, which runs at boot. Success is the stored length and CRC-32 (F1); on
 * boards without E.CRC32 the file is read back. Room is asked for before anything is replaced (F2).
 * References: packet.ts, storage.ts, ram.ts, espruino-console.ts; docs/flashing.md, "Espruino".
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { crc32 } from './crc32.ts';
import { EspruinoConsole, UploadBroken } from './espruino-console.ts';
import { awaitLife } from './espruino-life.ts';
import {
  checkProgram,
  type Flashed,
  type Flasher,
  type FlashOptions,
  type Identity,
  phaseProgress,
  type Started,
  type StartOptions,
  sameBytes,
  startedFacts,
  throwIfAborted,
} from './flasher.ts';
import type { Link } from './link.ts';
import { receiveFile, sendFile } from './packet.ts';
import { uploadToRam } from './ram.ts';
import { checkRoom } from './room.ts';
import { readFile, writeFile } from './storage.ts';

export const bootFile = '.bootcde';
const resetFile = '.bootrst';
const defaultAttempts = 4;
const firstPacketVersion = 25;
const storage = 'require("Storage")';
export interface EspruinoOptions {
  /** Bytes of saved code that the board has; null when it is not known and only the board can say. */
  capacityBytes?: number | null;
  /** Largest piece that is sent at once. */
  chunkBytes?: number;
  /** Of the line to the board, where it is a UART. */
  bytesPerSecond?: number | null;
  /** What may be on its way to the board when it says XOFF (L2 of link.ts). */
  aheadBytes?: number;
  /** Overrides what the version says of packets. */
  hasPackets?: boolean;
}

/** True for `2v25` and later. */
export function hasPackets(version: string): boolean {
  const [, major = '0', minor = '0'] = /^(\d+)v(\d+)/.exec(version) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= firstPacketVersion);
}

export class EspruinoFlasher implements Flasher {
  readonly identity: Identity;
  readonly #link: Link;
  readonly #console: EspruinoConsole;
  readonly #capacityBytes: number | null;
  readonly #chunkBytes: number;
  readonly #hasPackets: boolean;

  constructor(link: Link, identity: Identity, options: EspruinoOptions = {}) {
    this.#link = link;
    link.bytesPerSecond = options.bytesPerSecond ?? null;
    if (options.aheadBytes !== undefined) link.aheadBytes = options.aheadBytes;
    this.#console = new EspruinoConsole(link);
    this.identity = identity;
    this.#capacityBytes = options.capacityBytes ?? null;
    this.#chunkBytes = options.chunkBytes ?? 1024;
    this.#hasPackets = options.hasPackets ?? hasPackets(identity.version);
  }

  async read(options: FlashOptions = {}): Promise<Uint8Array> {
    let last: Uint8Array | null = null;
    const reasons: string[] = [];
    for (let reads = 0; reads < defaultAttempts; reads++) {
      throwIfAborted(options.signal);
      try {
        await this.#console.reach();
        const stored = await this.#stored();
        if (stored === null) return new Uint8Array(0);
        const nowMs = () => this.#link.clock.nowMs();
        const progress = phaseProgress('backup', stored.lengthBytes, nowMs, options.onProgress);
        const content = this.#hasPackets
          ? ((await receiveFile(this.#link, bootFile, progress)) ?? new Uint8Array(0))
          : await readFile(this.#console, bootFile, stored.lengthBytes, progress);
        if (matches(stored, content)) return content;
        // Without a CRC two readings must agree.
        if (stored.crc === null && last && sameBytes(last, content)) return content;
        last = content;
        if (stored.crc !== null) reasons.push('what was read has not the CRC that the board gives');
      } catch (error) {
        if (!(error instanceof UploadBroken)) throw error;
        reasons.push(error.message);
      }
    }
    throw new Problem(
      exitCodes.notVerified,
      'the program on the board cannot be read reliably',
      reasons,
      'Use another cable or port, or a lower rate.',
    );
  }

  async upload(program: Uint8Array, options: FlashOptions = {}): Promise<Flashed> {
    checkProgram(program, this.#capacityBytes ?? Number.POSITIVE_INFINITY, 'the saved code of the board');
    let isReplaced = false;
    return this.#attempt(
      program,
      options,
      () => previousProgram(isReplaced),
      async () => {
        await this.#checkRuns();
        await checkRoom(this.#console, bootFile, program.length);
        isReplaced = true;
        const progress = phaseProgress('upload', program.length, () => this.#link.clock.nowMs(), options.onProgress);
        // Packets carry any byte, but these three mean something to the line itself.
        const isPlain = !program.some((byte) => byte === 0x03 || byte === 0x11 || byte === 0x13);
        const chunkBytes = await this.#chunk();
        const startMs = this.#link.clock.nowMs();
        if (this.#hasPackets && isPlain) {
          await sendFile(this.#link, bootFile, program, chunkBytes, progress, options.signal);
        } else {
          await writeFile(this.#console, bootFile, program, chunkBytes, progress, options.signal);
        }
        const uploadMs = this.#link.clock.nowMs() - startMs;
        await this.#verify(program, options);
        return { uploadMs, resent: 0 };
      },
    );
  }

  /** Into RAM only: gone at the next reset. Verified piece by piece, and runs at once. */
  async uploadToRam(program: Uint8Array, options: FlashOptions = {}): Promise<Flashed> {
    checkProgram(program, Number.POSITIVE_INFINITY, 'the board');
    return this.#attempt(
      program,
      options,
      () => 'the program that the board stores is untouched',
      async () => {
        const progress = phaseProgress('upload', program.length, () => this.#link.clock.nowMs(), options.onProgress);
        const startMs = this.#link.clock.nowMs();
        const pieceBytes = await this.#chunk();
        this.#console.onOutput = options.onOutput ?? null;
        const resent = await uploadToRam(this.#console, program, pieceBytes, progress, options.signal).finally(() => {
          this.#console.onOutput = null;
        });
        return { uploadMs: this.#link.clock.nowMs() - startMs, resent };
      },
    );
  }

  /** Erases what runs at boot: the program, and what would run in its place. */
  async erase(): Promise<void> {
    await this.#console.reach();
    for (let tries = 0; tries < defaultAttempts; tries++) {
      const erasing = `(function(s){s.erase("${bootFile}");s.erase("${resetFile}");return 1})(${storage})`;
      await this.#console.ask(erasing, 8_000).catch(() => undefined);
      if ((await this.#stored()) === null && !(await this.#hasResetFile())) return;
    }
    throw new Problem(
      exitCodes.notVerified,
      `${bootFile} or ${resetFile} is still on the board`,
      ['it was erased and is still there'],
      'Try again; `require("Storage").eraseAll()` at its prompt erases everything.',
    );
  }

  async start(options: StartOptions = {}): Promise<Started> {
    this.#link.takeAll();
    await this.#link.write('\x10load()\n');
    return this.awaitLife(options);
  }

  /** Waits until a program that was just started, or sent to RAM, shows that it runs. */
  async awaitLife(options: StartOptions = {}): Promise<Started> {
    if (options.signal) this.#link.interruption = { signal: options.signal, facts: startedFacts };
    return awaitLife(this.#link, options).finally(() => {
      this.#link.interruption = null;
    });
  }

  /** Runs whole attempts until one succeeds; each failure is a fact of the Problem that the last one becomes. */
  async #attempt(
    program: Uint8Array,
    options: FlashOptions,
    state: () => string,
    run: () => Promise<{ uploadMs: number; resent: number }>,
  ): Promise<Flashed> {
    const attempts = options.attempts ?? defaultAttempts;
    const reasons: string[] = [];
    for (let attempt = 1; attempt <= attempts; attempt++) {
      throwIfAborted(options.signal, [state()]);
      try {
        await this.#console.reach();
        const { uploadMs, resent } = await run();
        const bytesPerSecond = (program.length * 1000) / Math.max(1, uploadMs);
        return { storedBytes: program.length, attempts: attempt, resent, uploadMs, bytesPerSecond, isVerified: true };
      } catch (error) {
        if (error instanceof Problem) {
          throw new Problem(error.exitCode, error.message, [...error.facts, state()], error.advice, { cause: error });
        }
        if (!(error instanceof UploadBroken)) throw error;
        reasons.push(`attempt ${attempt}: ${error.message}`);
        const none = { doneBytes: 0, totalBytes: program.length, bytesPerSecond: 0, remainingMs: null };
        options.onProgress?.({ phase: 'upload', ...none, note: `${error.message}; starting over` });
      }
    }
    throw new Problem(
      exitCodes.notVerified,
      `the program could not be uploaded in ${attempts} attempts`,
      [...reasons, state()],
      'The line damages or loses bytes: use another cable or a lower rate, and flash again.',
    );
  }

  /** Refuses a board that would never run what is stored: where there is a `.bootrst`, it alone runs at boot (jsflash.c). */
  async #checkRuns(): Promise<void> {
    if (!(await this.#hasResetFile())) return;
    throw new Problem(
      exitCodes.unsupported,
      'the board would not run the program',
      [`it holds ${resetFile}, which runs in place of ${bootFile} at every boot and reset`],
      `\`heapglass flash --erase\` removes both, ${storage}.erase("${resetFile}") at its prompt that one.`,
    );
  }

  async #hasResetFile(): Promise<boolean> {
    const isThere = await this.#console.askAgain(`${storage}.read("${resetFile}")!==undefined`);
    if (typeof isThere !== 'boolean') throw new UploadBroken(`the answer about ${resetFile} is damaged`);
    return isThere;
  }

  /** A piece is in RAM twice or more while it is taken: small heaps get small pieces. */
  async #chunk(): Promise<number> {
    const freeVariables = await this.#console.askAgain('process.memory().free');
    if (typeof freeVariables !== 'number') throw new UploadBroken('the answer about free memory is damaged');
    return Math.max(32, Math.min(this.#chunkBytes, freeVariables * 2));
  }

  async #verify(program: Uint8Array, options: FlashOptions): Promise<void> {
    const progress = phaseProgress('verify', program.length, () => this.#link.clock.nowMs(), options.onProgress);
    progress(0);
    let found = 'it gives no length and CRC for it';
    for (let tries = 0; tries < 3; tries++) {
      const stored = await this.#stored();
      if (stored === null) {
        found = 'there is no file';
        continue;
      }
      found = `${stored.lengthBytes} bytes with CRC-32 ${stored.crc?.toString(16)}`;
      if (stored.lengthBytes !== program.length) continue;
      const isSame =
        stored.crc === null
          ? sameBytes(await readFile(this.#console, bootFile, program.length, progress), program)
          : stored.crc === crc32(program);
      if (isSame) {
        progress(program.length);
        return;
      }
    }
    throw new UploadBroken(
      `what the board holds is not what was sent: ${found} instead of ${program.length} bytes with CRC-32 ${crc32(program).toString(16)}`,
    );
  }

  /** Length and CRC of the stored program; null when there is none. */
  async #stored(): Promise<{ lengthBytes: number; crc: number | null } | null> {
    const answer = await this.#console.askAgain(
      `(function(f){return f===undefined?[]:[f.length,E.CRC32?E.CRC32(f):null]})(${storage}.read("${bootFile}"))`,
      10_000,
    );
    if (!Array.isArray(answer)) throw new UploadBroken('the answer about the stored program is damaged');
    const [lengthBytes, crc] = answer as [number?, (number | null)?];
    if (lengthBytes === undefined || crc === undefined) return null;
    return { lengthBytes, crc: crc === null ? null : crc >>> 0 };
  }
}

const matches = (stored: { lengthBytes: number; crc: number | null }, content: Uint8Array): boolean =>
  stored.crc !== null && stored.lengthBytes === content.length && stored.crc === crc32(content);

const previousProgram = (isReplaced: boolean): string =>
  isReplaced ? `the ${bootFile} that the board held before is gone` : 'the board still holds the program it had';
