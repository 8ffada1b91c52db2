/**
 * Every number of the wire format. docs/wire-format.md is the specification; this file and its neighbours are a leaf
 * that the device and the host share, written in the device subset.
 *
 *   frame    00 | stuffed( length, type, sequence, payload[length], crcHigh, crcLow )
 *   stuffed  no 00 (starts a frame), no 11 and no 13 (XON and XOFF, which an engine inserts anywhere): see frame.ts
 */

export const WIRE_VERSION = 1;

/** Starts a frame; occurs nowhere else in one. */
export const DELIMITER = 0x00;
export const XON = 0x11;
export const XOFF = 0x13;

export const MAX_PAYLOAD_BYTES = 240;
/** length, type and sequence. */
export const HEAD_BYTES = 3;
export const CRC_BYTES = 2;
export const MAX_BODY_BYTES = HEAD_BYTES + MAX_PAYLOAD_BYTES + CRC_BYTES;
/** Literal bytes one stuffing group can carry. */
export const MAX_RUN_BYTES = 84;
/** The longest frame on the line: delimiter, body, one code byte for each started group. */
export const MAX_FRAME_BYTES = 1 + MAX_BODY_BYTES + 1 + ((MAX_BODY_BYTES / MAX_RUN_BYTES) | 0);

/** Low five bits of the type byte; the upper three are WIRE_VERSION. */
export const FRAME_HELLO = 1;
export const FRAME_EVENTS = 2;
export const FRAME_MAP = 3;
export const FRAME_COUNTERS = 4;
export const FRAME_POST_MORTEM = 5;
export const FRAME_ENGINE = 6;
export const FRAME_REGIONS = 7;

/** Telemetry levels, in order of what they cost. */
export const LEVEL_OFF = 0;
export const LEVEL_COUNTERS = 1;
export const LEVEL_SAMPLED = 2;
export const LEVEL_EVENTS = 3;

/** First byte of an EVENTS payload. */
export const EVENTS_OVERHEAD_MASK = 0x0f;
export const EVENTS_SAMPLED = 0x40;

/** Records of an EVENTS frame, by their first byte. */
export const RECORD_MALLOC = 0x00;
export const RECORD_MALLOC_PREDICTED = 0x40;
export const RECORD_FREE_RECENT = 0x80;
export const RECORD_FREE = 0xc0;
export const RECORD_SLACK = 0xe0;
export const RECORD_FREE_FAR = 0xf0;
export const RECORD_REALLOC_IN_PLACE = 0xf1;
export const RECORD_REALLOC_MOVED = 0xf2;
export const RECORD_REALLOC_PREDICTED = 0xf3;
export const RECORD_USABLE = 0xf4;
export const RECORD_SITE = 0xf5;
export const RECORD_MEMALIGN = 0xf6;
export const RECORD_FAILED = 0xf7;
export const RECORD_MISUSE = 0xf8;
export const RECORD_UNRECORDED = 0xf9;
export const RECORD_MARK = 0xfa;
export const RECORD_PACKED = 0xfb;
export const RECORD_FREE_FURTHER = 0xfc;
export const RECORD_FREE_NEAR = 0xfd;

/** Sizes below this are the record's own low bits; then a second byte extends them, then a varint. */
export const SHORT_SIZES = 48;
export const SIZE_VARINT = 63;
/** Sizes of a realloc: one byte below this, two bytes until the first is LONG_SIZE_VARINT. */
export const LONG_SIZES = 128;
export const LONG_SIZE_VARINT = 255;
/** Granules that a two-byte free can name, and a three-byte one. */
export const FREE_GRANULES = 0x2000;
export const FREE_FAR_GRANULES = 0x10000;
/** A near free is a byte: this much more than the distance from the last free that was not a recent one. */
export const FREE_NEAR_BIAS = 128;
/** A place below this is an index of the recent table, up to PLACE_VARINT the high part of a granule. */
export const RECENT_ENTRIES = 64;
export const PLACE_VARINT = 255;
export const PLACE_GRANULES = (PLACE_VARINT - RECENT_ENTRIES) << 8;
/** Entries of the table that predicts sites. */
export const SITE_ENTRIES = 32;

/** First byte of a MAP payload. */
export const MAP_FIRST = 0x01;
export const MAP_LAST = 0x02;
/** Every operation was recorded since the EVENTS frame before. */
export const MAP_COMPLETE = 0x04;

/** Entries of a MAP frame: 1..127 a live block of that many granules, 0x80 + n a free block of n, or an escape. */
export const MAP_FREE = 0x80;
export const MAP_ESCAPE = 0xff;
export const MAP_LONGEST = 0x7e;
export const MAP_KIND_FREE = 0;
export const MAP_KIND_LIVE = 1;
export const MAP_KIND_CONTROL = 2;
/** Of heaps of several regions alone. */
export const MAP_KIND_BEYOND = 3;

/** First byte of a HELLO payload. */
export const HELLO_BOOT = 0x01;

/** First byte of a region in a REGIONS frame: log2 of its page's bytes, and whether it takes large blocks alone. */
export const REGION_PAGE_MASK = 0x1f;
export const REGION_LARGE = 0x20;
/** Letters of a region's name that are told. */
export const MOST_REGION_LETTERS = 12;
