/** Units of virtual time. */
export const nsPerMs = 1_000_000;
export const nsPerUs = 1_000;
export const nsPerSecond = 1_000_000_000;
