/** Contrast of two colours (`#rrggbb`), as WCAG 2.2 defines it. Pure. */

const DARK = '#0a0f12';
const LIGHT = '#ffffff';

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** 1 for the same colour, to 21 for black on white. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Dark or light, whichever is read better on the colour. */
export const textOn = (colour: string): string => (contrast(DARK, colour) > contrast(LIGHT, colour) ? DARK : LIGHT);
