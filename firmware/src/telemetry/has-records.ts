/**
 * Whether this bundle's recorder writes records at all: 1, and 0 in a bundle for counters alone, which leaves out the code
 * for them. The toolchain puts the 0 in this file's place.
 */
export const HAS_RECORDS: number = 1;
