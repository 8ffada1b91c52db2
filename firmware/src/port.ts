/**
 * The one file of the device code that touches what the engine provides: time, the console's raw bytes, timers.
 *
 * The toolchain states the engine as a constant, so a bundle holds only its own engine's lines; in Node (0) a test or a
 * simulation gives a port with `usePort`. Nothing here is called per heap operation except `nowUs`, and that only where
 * a recorder stamps times.
 *
 * References: Espruino src/jswrap_espruino.c (E.getConsole), src/jswrap_serial.c (write); Kaluma src/global.c
 * (micros, process.stdout).
 */
declare const HEAPGLASS_ENGINE: number;
declare const HEAPGLASS_LINE_BYTES_PER_SECOND: number;
declare const HEAPGLASS_LINE_BUFFER_BYTES: number;

export const ENGINE_HOST = 0;
export const ENGINE_ESPRUINO = 1;
export const ENGINE_KALUMA = 2;

const engine = typeof HEAPGLASS_ENGINE === 'undefined' ? ENGINE_HOST : HEAPGLASS_ENGINE;

/** What the console carries, from the board's data. */
export const lineBytesPerSecond =
  typeof HEAPGLASS_LINE_BYTES_PER_SECOND === 'undefined' ? 11520 : HEAPGLASS_LINE_BYTES_PER_SECOND;

/** What the console takes at once without blocking. */
export const lineBufferBytes = typeof HEAPGLASS_LINE_BUFFER_BYTES === 'undefined' ? 128 : HEAPGLASS_LINE_BUFFER_BYTES;

/** What Node gives in an engine's place. */
export interface Port {
  /** Microseconds, any origin. */
  nowUs(): number;
  write(bytes: Uint8Array): void;
  every(milliseconds: number, callback: () => void): unknown;
  stop(timer: unknown): void;
}

interface EngineGlobals {
  getTime(): number;
  micros(): number;
  setInterval(callback: () => void, milliseconds: number): unknown;
  clearInterval(timer: unknown): void;
  process: { stdout: { write(bytes: Uint8Array): void } };
  E: { getConsole(): string | null };
  global: Record<string, { write(bytes: Uint8Array): void } | undefined>;
}

declare const getTime: EngineGlobals['getTime'];
declare const micros: EngineGlobals['micros'];
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

/** Microseconds modulo 2^27, which both engines hold as a small integer. */
export function nowUs(): number {
  if (engine === ENGINE_ESPRUINO) return (getTime() * 1e6) & 0x7ffffff;
  if (engine === ENGINE_KALUMA) return micros() & 0x7ffffff;
  return hostPort ? hostPort.nowUs() % 0x8000000 : 0;
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
