/**
 * Decoder of heatshrink streams as Espruino configures them: window 8 bits, lookahead 6 bits.
 *
 *   1 bbbbbbbb            a literal byte
 *   0 iiiiiiii cccccc     copy c + 1 bytes from i + 1 back
 *
 * Bits are read from the high end. Source: espruino/Espruino@c5ff787b1 libs/compression/heatshrink
 * (heatshrink_config.h, heatshrink_decoder.c); atomicobject/heatshrink describes the format.
 */
const windowBits = 8;
const lookaheadBits = 6;

export function heatshrinkDecode(data: Uint8Array): Uint8Array {
  const out: number[] = [];
  let bitAt = 0;
  const left = (): number => data.length * 8 - bitAt;
  const take = (bits: number): number => {
    let value = 0;
    for (let i = 0; i < bits; i++, bitAt++) value = (value << 1) | ((data[bitAt >> 3]! >> (7 - (bitAt & 7))) & 1);
    return value;
  };
  while (left() > 8) {
    if (take(1) === 1) out.push(take(8));
    else {
      if (left() < windowBits + lookaheadBits) break;
      const back = take(windowBits) + 1;
      // What lies before the start of the output is zero, as the decoder's window is.
      for (let count = take(lookaheadBits) + 1; count > 0; count--) out.push(out[out.length - back] ?? 0);
    }
  }
  return Uint8Array.from(out);
}
