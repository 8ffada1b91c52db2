/**
 * The one file of the device code that touches what the engine provides: time, the console's raw bytes, timers.
 *
 * The toolchain states the engine as a constant, so a bundle holds only its own engine's lines; in Node (0) a test or a
 * simulation gives a port with `usePort`. Nothing here is called per heap operation.
 *
 * References: Espruino src/jswrap_espruino.c (E.getConsole), src/jswrap_serial.c (write); Kaluma src/global.c
 * (millis, process.stdout).
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
}

interface EngineGlobals {
  getTime(): number;
  millis(): number;
  setInterval(callback: () => void, milliseconds: number): unknown;
  clearInterval(timer: unknown): void;
  process: { stdout: { write(bytes: Uint8Array): void } };
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
