/**
 * A byte pipe to a board: serial path, tcp://, an in-process virtual board, or Web Serial. Flashers, the monitor and
 * everything after them know only this. Imports no Node, so that browsers share it.
 */
export interface Transport {
  /** What was opened, for messages: `/dev/ttyACM0`, `tcp://127.0.0.1:4000`, `sim:puckjs`. */
  readonly name: string;
  /** Time as the other end sees it: the wall clock for real lines, virtual time for an in-process board. */
  readonly clock: Clock;
  /** Resolves when the bytes were handed to the line. Rejects with a Problem (lineLost) when the port is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** The one receiver of incoming bytes; called with chunks as they come. Replaces the previous receiver. */
  onData(receiver: (bytes: Uint8Array) => void): void;
  /** Called once when the line is lost or closed by the other end; `reason` is for people. */
  onClose(receiver: (reason: string) => void): void;
  /** Modem lines where the transport has them; a no-op elsewhere. */
  setSignals(signals: { dtr?: boolean; rts?: boolean }): Promise<void>;
  close(): Promise<void>;
  /** Virtual boards only: from now on time passes no faster than the wall clock, or (false) as fast as it can. */
  setRealTime?(isOn: boolean): void;
}

/** Milliseconds; a transport's own, so that time-outs against a virtual board elapse in virtual time. */
export interface Clock {
  nowMs(): number;
  /**
   * Resolves `ms` later on this clock, or as soon as `signal` aborts (it never rejects): who waits for bytes with a
   * time-out gives the time back when they came, so that virtual time does not run on to the time-out.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
