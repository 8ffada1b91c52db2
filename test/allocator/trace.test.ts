// The trace parser: what it reads, and the line it names when it does not.
import { describe, expect, test } from 'vitest';
import { Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { OP_ALLOCATE, OP_FREE, OP_RESIZE, parseTrace, readTrace } from '../../host/trace/trace.ts';

const problemOf = (text: string): string => {
  try {
    parseTrace(text, 't');
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
  return 'none';
};

test('operations, ids renumbered, peak', () => {
  const trace = parseTrace('{"name":"t","ops":6}\na 7 10\nr 9 5\nr 7 20\nf 9\na 9 0\nf 7\n', 't');
  expect([...trace.kinds]).toEqual([OP_ALLOCATE, OP_RESIZE, OP_RESIZE, OP_FREE, OP_ALLOCATE, OP_FREE]);
  expect([...trace.ids]).toEqual([0, 1, 0, 1, 1, 0]);
  expect([...trace.sizes]).toEqual([10, 5, 20, 0, 0, 0]);
  expect([trace.idCount, trace.peakLiveBytes, trace.maxLiveBlocks]).toEqual([2, 25, 2]);
});

test('ids may be addresses; with its number of operations a trace may end without a newline', () => {
  const trace = parseTrace('{"name":"t","ops":2}\na 3221225472 10\nf 3221225472', 't');
  expect([...trace.kinds]).toEqual([OP_ALLOCATE, OP_FREE]);
});

test('a recorded trace agrees with its header', () => {
  const trace = readTrace(`${packageRoot}/test/fixtures/traces/expat-config.trace`);
  expect([trace.kinds.length, trace.peakLiveBytes, trace.maxLiveBlocks]).toEqual([4778, 13274, 709]);
});

const head = '{"name":"t"}\n';
describe('Problems name the line', () => {
  test.each([
    ['', 't:1: the file is empty'],
    ['a 0 1\n', 't:1: the header is not JSON'],
    ['[]\n', 't:1: the header is not a JSON object'],
    ['{}\n', 't:1: the header has no name'],
    [`${head}a 0 1`, 't:2: the last line does not end with a newline: the file may have been cut'],
    ['{"name":"t","ops":2}\na 0 1', 't:2: the last line does not end with a newline: the file may have been cut'],
    ['{"name":"\\u001b[31m"}\n', 't:1: the name holds control characters'],
    [`${head}a 0\n`, 't:2: this is not an operation'],
    [`${head}a 0 -1\n`, 't:2: this is not an operation'],
    [`${head}a 0 1\nx 0 1\n`, 't:3: this is not an operation'],
    [`${head}a 0 1\n\nf 0\n`, 't:3: this is not an operation'],
    [`${head}a 0 1e3\n`, 't:2: this is not an operation'],
    [`${head}a 0 4294967296\n`, 't:2: a request of 4294967296 bytes'],
    [`${head}a 0 1\na 0 1\n`, 't:3: id 0 is allocated twice'],
    [`${head}a 0 1\nf 0\nf 0\n`, 't:4: id 0 is freed but not live'],
    ['{"name":"t","ops":2}\na 0 1\n', 't:2: the header says 2 operations, the file has 1'],
    ['{"name":"t","peakLiveBytes":2}\na 0 1\n', 't:1: the header says a peak of 2 live bytes, the operations give 1'],
  ])('%j', (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  test('a file that is not there', () => {
    expect(() => readTrace('/nonexistent.trace')).toThrow('the trace /nonexistent.trace cannot be read');
  });
});

test('a trace cut at any byte is refused, or is a shorter trace that its header does not contradict', () => {
  const text = '{"name":"t","ops":4}\na 7 10\na 9 5\nf 9\nf 7\n';
  // All but the last newline is the whole trace.
  for (let length = 0; length < text.length - 1; length++) expect(problemOf(text.slice(0, length))).not.toBe('none');
});
