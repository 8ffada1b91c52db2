// A buddy heap from its raw bytes: the map of orders gives the blocks, the lists give the free ones.
import type { HeapModel } from '../support/model.ts';
import { rawView } from './raw.ts';

export function walkBuddy(bytes: Uint8Array, model: HeapModel): void {
  const { half, byte, expect, take, done } = rawView(bytes, model);
  const units = half(0);
  const offsetOf = (unit: number): number => (half(2) + unit) * 16;
  expect(offsetOf(0) >= 40 + units && offsetOf(units) <= bytes.length, `${units} units from ${offsetOf(0)}`);
  const free = new Map<number, number>();
  for (let unit = 0; unit < units; ) {
    const entry = byte(40 + unit);
    const kind = entry & 0xe0;
    const order = kind === 0 ? entry - 1 : entry & 0x1f;
    expect(
      order >= 0 && order <= 15 && (kind === 0 || kind === 0x80 || kind === 0x40),
      `entry ${entry} of unit ${unit}`,
    );
    const count = 2 ** order;
    expect(unit % count === 0 && unit + count <= units, `order ${order} at unit ${unit}`);
    let payload = kind === 0x80 ? unit : -1;
    for (let inside = unit + 1; inside < unit + count; inside++) {
      const value = byte(40 + inside);
      if (value === 0) continue;
      expect(kind === 0x40 && payload === -1 && (value & 0xe0) === 0x20, `entry ${value} inside unit ${unit}`);
      payload = inside;
    }
    if (kind === 0) free.set(unit, order);
    else take(offsetOf(payload), (unit + count - payload) * 16);
    unit += count;
  }
  done();
  for (const [unit, order] of free) {
    expect(free.get(unit ^ (2 ** order)) !== order || order === 15, `free buddies at unit ${unit}`);
  }
  for (let order = 0; order <= 15; order++) {
    let previous = 0;
    for (let entry = half(8 + 2 * order); entry !== 0 && entry !== previous; entry = half(offsetOf(entry - 1))) {
      expect(free.get(entry - 1) === order, `list ${order} holds unit ${entry - 1}`);
      expect(previous === 0 || half(offsetOf(entry - 1) + 2) === previous, `the previous link of unit ${entry - 1}`);
      free.delete(entry - 1);
      previous = entry;
    }
  }
  expect(free.size === 0, `units ${[...free.keys()].slice(0, 5)} are in no list`);
}
