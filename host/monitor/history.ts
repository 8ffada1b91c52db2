/**
 * Scenes of the past, for scrubbing: frozen copies at even times in fixed memory. When there are too many, every second
 * one goes and the times between them double, so that any length of session can be gone through from end to end.
 */
import type { BlockVisitor, Scene } from '../view/scene.ts';

const MOST_SCENES = 256;
const FIRST_EVERY_MS = 100;

/** The scene with its blocks copied: the model goes on, the copy stays. */
function frozen(scene: Scene): Scene {
  const blocks: number[] = [];
  scene.walk((offset, sizeBytes, kind) => blocks.push(offset, sizeBytes, kind));
  const kept = Int32Array.from(blocks);
  const walk = (visit: BlockVisitor): void => {
    for (let at = 0; at < kept.length; at += 3) visit(kept[at]!, kept[at + 1]!, kept[at + 2]!);
  };
  // What was to be said then, not what is known by now.
  const said = scene.answers?.();
  return { ...scene, walk, ...(said && { answers: () => said }) };
}

export class History {
  private scenes: Scene[] = [];
  private everyMs = FIRST_EVERY_MS;
  private nextMs = 0;

  get length(): number {
    return this.scenes.length;
  }

  /** Keeps the scene when it is time for one; the function is not called otherwise. */
  add(atMs: number, scene: () => Scene): void {
    if (atMs < this.nextMs) return;
    this.nextMs = atMs + this.everyMs;
    this.scenes.push(frozen(scene()));
    if (this.scenes.length < MOST_SCENES) return;
    this.scenes = this.scenes.filter((_, index) => index % 2 === 0);
    this.everyMs *= 2;
  }

  /** The scene at `index` from the oldest, as a scene of the past. */
  at(index: number): Scene | undefined {
    const scene = this.scenes[index];
    return scene && { ...scene, state: 'past' };
  }
}
