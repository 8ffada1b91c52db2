/** What an export format is: a function that streams a recording as text. */
import type { Recording } from '../recording/reader.ts';

/** A site's source line, or a name made of its number. */
export type NameOf = (site: number, bundleId: number) => string;

export type Exporter = (recording: Recording, write: (text: string) => void, nameOf: NameOf) => void;
