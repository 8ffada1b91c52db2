/** The C allocators that policies are compared with: figures recorded once, by the method of footprint.ts; each file says how. */
import measured from './measured-peers.json' with { type: 'json' };
import recorded from './recorded-peers.json' with { type: 'json' };

export interface PeerFootprint {
  peer: string;
  payloadAlignmentBytes: number;
  footprintBytes: number;
}

const alignments: Record<string, number> = recorded.payloadAlignmentBytes;
const traces: Record<string, { peakLiveBytes: number; footprintBytes: Record<string, number> }> = {
  ...measured.traces,
  ...recorded.traces,
};

/** What each peer needs for a trace, the smallest first; empty for a trace that was not recorded. */
export function peerFootprints(traceName: string, peakLiveBytes: number): PeerFootprint[] {
  const trace = Object.hasOwn(traces, traceName) ? traces[traceName] : undefined;
  if (trace?.peakLiveBytes !== peakLiveBytes) return [];
  return Object.entries(trace.footprintBytes)
    .map(([peer, footprintBytes]) => ({ peer, footprintBytes, payloadAlignmentBytes: alignments[peer]! }))
    .sort((a, b) => a.footprintBytes - b.footprintBytes);
}
