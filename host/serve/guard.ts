/**
 * Who may ask the server. It speaks to pages that it served itself, and to no other:
 *
 *   W1  a request names this machine by an IP address, as localhost, or by the name given to --listen. Any other Host is
 *       a foreign name made to point here (DNS rebinding).
 *   W2  a WebSocket comes from a page of that very host and port (Origin), or not at all.
 *   W3  no answer may be framed, sniffed, or read by another origin.
 */

/** The Host header as a URL's host; null when it is none. */
function hostOf(header: string | undefined): URL | null {
  if (header === undefined || !/^[\w.\-:[\]]+$/.test(header)) return null;
  try {
    return new URL(`http://${header}`);
  } catch {
    return null;
  }
}

/** W1. `name` is the host that the server was told to listen on. */
export function isHostAllowed(header: string | undefined, name: string): boolean {
  const url = hostOf(header);
  if (url === null) return false;
  const { hostname } = url;
  const isAddress = hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
  return isAddress || hostname === 'localhost' || hostname === name.toLowerCase();
}

/** W2. */
export function isOriginAllowed(origin: string | undefined, hostHeader: string | undefined): boolean {
  const host = hostOf(hostHeader);
  return host !== null && origin === host.origin;
}

/** W3, on every answer. */
export const safetyHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};
