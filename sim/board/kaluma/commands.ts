/**
 * Kaluma's dot-commands. Source: kaluma-project/kaluma@1.2.1 src/repl.c (run_command, cmd_*).
 */
import type { Task } from '../machine.ts';
import { nsPerMs } from '../time.ts';
import type { KalumaFirmware } from './firmware.ts';
import { receiveYmodem, type YmodemResult } from './ymodem.ts';

const crLf = '\r\n';
const settleMs = 500;

const commandHelp: readonly (readonly [string, string])[] = [
  ['.help', 'Print this help message'],
  ['.hi', 'Print welcome message'],
  ['.echo', 'Echo on/off'],
  ['.reset', 'Soft reset'],
  ['.flash', 'Commands for flash'],
  ['.load', 'Load code from flash'],
  ['.mem', 'Heap memory status'],
  ['.gc', 'Perform garbage collection'],
  ['.ls', 'List files'],
  ['.pwd', 'Print current directory'],
  ['.cd', 'Change current directory'],
  ['.mkdir', 'Create directory'],
  ['.rm', 'Remove file or directory'],
  ['.cat', 'Print the content of file'],
];

const flashHelp = [
  '.flash command options:',
  '-w\tWrite code to flash via YMODEM',
  '-e\tErase the code in flash',
  '-t\tPrint total size of flash for code',
  '-s\tPrint the size of the code in flash',
  '-r\tPrint the code in flash',
];

export function banner(version: string): string {
  return [
    '         ___',
    `   _____/ . \\   Welcome to Kaluma v${version}`,
    '  /        __>  https://kaluma.io',
    ' |/\\________/',
    "  \\__@  v  v    Type '.help' for more info.",
    '-----------------------------------------------',
    '',
    '',
  ].join(crLf);
}

/** Runs a line that begins with a dot. Words are parted by spaces, and nothing else. */
export function* runCommand(firmware: KalumaFirmware, line: Uint8Array): Task {
  const { tty } = firmware;
  const [name = '', argument] = new TextDecoder()
    .decode(line)
    .split('\0')[0]!
    .split(' ')
    .filter((word) => word !== '');
  switch (name) {
    case '.help':
      for (const [command, help] of commandHelp) tty.print(`${command}\t${help}${crLf}`);
      tty.print(`${crLf}CTRL+C\tAbort running code${crLf}CTRL+D\tSoft reset${crLf}`);
      return;
    case '.hi':
      tty.print(banner(firmware.machine.board.engineVersion));
      return;
    case '.echo':
      if (argument === 'on' || argument === 'off') firmware.editor.echo = argument === 'on';
      return;
    case '.reset':
      yield* firmware.softReset();
      return;
    case '.flash':
      yield* runFlashCommand(firmware, argument);
      return;
    case '.load':
      yield* firmware.restart(true);
      return;
    case '.mem': {
      const { totalBytes, usedBytes, peakBytes } = firmware.heap();
      tty.print(`total: ${totalBytes}, occupied: ${usedBytes}, peak: ${peakBytes}${crLf}`);
      return;
    }
    case '.gc':
      return;
    case '.pwd':
      tty.print(`${firmware.folders.current}${crLf}`);
      return;
    case '.ls':
      if (argument === undefined || argument === firmware.folders.current)
        for (const folder of firmware.folders.names()) tty.print(`<dir>\t${folder}${crLf}`);
      return;
    case '.cat':
      tty.print(crLf);
      return;
    case '.cd':
    case '.mkdir':
    case '.rm': {
      const change = { '.cd': 'enter', '.mkdir': 'make', '.rm': 'remove' } as const;
      const error = firmware.folders[change[name]](argument ?? '');
      if (error !== null) tty.print(`\x1b[31mError: ${error}${crLf}\x1b[0m`);
      return;
    }
    default:
      tty.print(`\x1b[31mUnknown command: ${name}${crLf}\x1b[0m`);
  }
}

function* runFlashCommand(firmware: KalumaFirmware, option: string | undefined): Task {
  const { tty, program } = firmware;
  switch (option) {
    case '-e':
      program.erase();
      tty.print(`Flash has erased${crLf}`);
      return;
    case '-t':
      tty.print(`${program.sizeBytes}${crLf}`);
      return;
    case '-s':
      tty.print(`${program.textBytes()}${crLf}`);
      return;
    case '-r':
      tty.putBytes(withCrLf(program.text()));
      tty.print(crLf);
      return;
    case '-w':
      yield* receiveProgram(firmware);
      return;
    default:
      for (const help of flashHelp) tty.print(`${help}${crLf}`);
  }
}

const resultText: Record<YmodemResult, string> = {
  ok: 'Done',
  tooLarge: 'The file size is too large',
  dataRefused: 'Verification failed',
  aborted: 'Aborted',
};

function* receiveProgram({ tty, program, machine }: KalumaFirmware): Task {
  tty.isTransferring = true;
  tty.print(`Transfer a file via YMODEM... (press 'a' to abort)${crLf}`);
  let leftBytes = 0;
  const result = yield* receiveYmodem(tty, {
    header: (fileSizeBytes) => {
      program.begin();
      leftBytes = fileSizeBytes;
      return true;
    },
    packet: (data) => {
      const part = data.subarray(0, Math.min(data.length, leftBytes));
      leftBytes -= part.length;
      return program.write(part);
    },
    footer: () => program.end(),
  });
  yield { untilNs: machine.nowNs() + settleMs * nsPerMs, forInput: false };
  tty.print(`${crLf}${resultText[result]}${crLf}`);
  tty.isTransferring = false;
}

function withCrLf(text: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const byte of text) {
    if (byte === 0x0a) out.push(0x0d);
    out.push(byte);
  }
  return Uint8Array.from(out);
}
