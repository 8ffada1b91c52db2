/**
 * The one file of the device code that touches what the engine provides: time, the console's raw bytes, timers.
 *
 * The toolchain states the engine as a constant, so a bundle holds only its own engine's lines; in Node (0) a test or a
 * simulation gives a port with `usePort`. Nothing here is called per heap operation.
 *
 * The engine's own heap: Espruino counts its variables on each call (`jsvGetMemoryUsage`: a pass over all of them), and
 * its answer takes two dozen variables and more until it is let go; the answer of JerryScript is garbage until the next
 * collection. How much, the first sample measures by asking twice and holding the first answer.
 *
 * References: Espruino src/jswrap_espruino.c (E.getConsole), src/jswrap_serial.c (write); Kaluma src/global.c
 * (millis, process.stdout, process_memory_usage_fn); Espruino src/jswrap_process.c (jswrap_process_memory).
 */
declare const HEAPGLASS_ENGINE: number;

export const ENGINE_HOST = 0;
export const ENGINE_ESPRUINO = 1;
export const ENGINE_KALUMA = 2;

const engine = typeof HEAPGLASS_ENGINE === 'undefined' ? ENGINE_HOST : HEAPGLASS_ENGINE;

/** What Node gives in an engine's place. */
export interface Port {
  /** Milliseconds, any origin. */
  nowMs(): number;
  write(bytes: Uint8Array): void;
  every(milliseconds: number, callback: () => void): unknown;
  stop(timer: unknown): void;
  /** The engine's own heap, as Kaluma tells it; none when it is not given. */
  memoryUsage?(): { heapUsed: number; heapTotal: number };
}

interface EngineGlobals {
  getTime(): number;
  millis(): number;
  setInterval(callback: () => void, milliseconds: number): unknown;
  clearInterval(timer: unknown): void;
  process: {
    stdout: { write(bytes: Uint8Array): void };
    memory(collects: boolean): { usage: number; total: number; blocksize: number };
    memoryUsage(): { heapUsed: number; heapTotal: number };
  };
  E: { getConsole(): string | null };
  global: Record<string, { write(bytes: Uint8Array): void } | undefined>;
}

declare const getTime: EngineGlobals['getTime'];
declare const millis: EngineGlobals['millis'];
declare const setInterval: EngineGlobals['setInterval'];
declare const clearInterval: EngineGlobals['clearInterval'];
declare const process: EngineGlobals['process'];
declare const E: EngineGlobals['E'];
declare const global: EngineGlobals['global'];

let hostPort: Port | undefined;

/** In Node: what stands in for the engine. Does nothing on a device. */
export function usePort(port: Port | undefined): void {
  hostPort = port;
}

/** Whether there is an engine or a port to work with. */
export function hasPort(): boolean {
  return engine !== ENGINE_HOST || hostPort !== undefined;
}

/** Where Espruino's clock stood at the start: its seconds since 1970 are too many for whole milliseconds. */
const startSeconds = engine === ENGINE_ESPRUINO ? getTime() : 0;

/** Whole milliseconds since a start of no meaning; a small integer on both engines for the first 37 hours. */
export function nowMs(): number {
  if (engine === ENGINE_ESPRUINO) return ((getTime() - startSeconds) * 1000) | 0;
  if (engine === ENGINE_KALUMA) return millis();
  return hostPort ? hostPort.nowMs() | 0 : 0;
}

/** Writes raw bytes to the console: unchanged, between whatever the program and the prompt print there. */
export function writeLine(bytes: Uint8Array): void {
  if (engine === ENGINE_ESPRUINO) {
    // Asked each time: Espruino moves its console when Bluetooth or USB connects. `null` while it is off.
    const device = global[E.getConsole() || ''];
    if (device) device.write(bytes);
  } else if (engine === ENGINE_KALUMA) process.stdout.write(bytes);
  else if (hostPort) hostPort.write(bytes);
}

export function every(milliseconds: number, callback: () => void): unknown {
  if (engine !== ENGINE_HOST) return setInterval(callback, milliseconds);
  return hostPort ? hostPort.every(milliseconds, callback) : undefined;
}

export function stop(timer: unknown): void {
  if (engine !== ENGINE_HOST) clearInterval(timer);
  else if (hostPort) hostPort.stop(timer);
}

/** The last sample of the engine's heap, in units of `engineUnitBytes`: variables of Espruino, bytes of JerryScript. */
export let engineUsed = 0;
export let engineTotal = 0;
export let engineUnitBytes = 0;
/** What the answer to one sample takes. */
export let engineOwn = 0;
/** How often the engine was asked. */
export let engineSamples = 0;

/** An answer is asked for while this many of it would fit: running out of memory can be caught on neither engine. */
const ROOM_FOR_ANSWERS = 4;

function askEngine(): unknown {
  engineSamples++;
  if (engine === ENGINE_ESPRUINO) {
    const memory = process.memory(false);
    engineUsed = memory.usage;
    engineTotal = memory.total;
    engineUnitBytes = memory.blocksize;
    return memory;
  }
  const usage = engine === ENGINE_KALUMA ? process.memoryUsage() : hostPort!.memoryUsage!();
  engineUsed = usage.heapUsed;
  engineTotal = usage.heapTotal;
  engineUnitBytes = 1;
  return usage;
}

/** Samples the engine's heap; false where it has none to tell, or no room left for the answer. */
export function sampleEngine(): boolean {
  if (engine === ENGINE_HOST && hostPort?.memoryUsage === undefined) return false;
  if (engineSamples !== 0 && engineTotal - engineUsed < ROOM_FOR_ANSWERS * engineOwn) return false;
  const held = askEngine();
  if (engineSamples > 1) return true;
  const before = engineUsed;
  askEngine();
  engineOwn = engineUsed > before ? engineUsed - before : 0;
  return held !== 0;
}
