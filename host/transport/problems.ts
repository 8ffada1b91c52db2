/**
 * The ways a line fails, each with its own words, facts and advice. Imports no Node: browsers share it.
 *
 * Every transport reports through these, so that the same cause reads the same on a serial path, over TCP and in a
 * browser. Not there, busy and not allowed are exit code 4; a line that was open and went away is exit code 5.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';

/** The udev rule that lets everyone use the serial devices of the boards Heapglass knows. Product ids are left open. */
export const udevRule = [
  '# /etc/udev/rules.d/70-heapglass.rules',
  'SUBSYSTEM=="tty", ATTRS{idVendor}=="0483", ATTRS{idProduct}=="5740", MODE="0666", TAG+="uaccess"',
  'SUBSYSTEM=="tty", ATTRS{idVendor}=="2e8a", MODE="0666", TAG+="uaccess"',
].join('\n');

export function portMissing(name: string, detail: string): Problem {
  return new Problem(
    exitCodes.noBoard,
    `${name} is not there`,
    [detail],
    'Plug the board in (with a cable that carries data) and run `heapglass ports` for what is connected.',
  );
}

function portBusy(name: string, detail: string): Problem {
  return new Problem(
    exitCodes.noBoard,
    `${name} is in use by another program`,
    [detail],
    `Close the other monitor, IDE or terminal; on Linux \`fuser ${name}\` names it. ModemManager holds new ports for some seconds.`,
  );
}

function portDenied(name: string, detail: string): Problem {
  return new Problem(
    exitCodes.noBoard,
    `this user may not open ${name}`,
    [
      detail,
      'either join the group that owns it: sudo usermod -aG dialout $USER, then log in again',
      'or install this udev rule:',
      ...udevRule.split('\n'),
    ],
    'After installing the rule run `sudo udevadm control --reload && sudo udevadm trigger`, and plug the board in again.',
  );
}

export function portUnusable(name: string, detail: string): Problem {
  return new Problem(
    exitCodes.noBoard,
    `${name} cannot be opened`,
    [detail],
    'Run `heapglass ports` for what is connected; the path must name a serial device.',
  );
}

export function lineLost(name: string, reason: string): Problem {
  const isNetwork = /^(tcp|rfc2217):/i.test(name);
  return new Problem(
    exitCodes.lineLost,
    `the line to ${name} was lost`,
    [reason],
    isNetwork
      ? 'Check that the other end still runs and that nobody else is connected to it, then run the command again.'
      : 'Check the cable and the power of the board, then run the command again.',
  );
}

function hostUnknown(name: string, detail: string): Problem {
  return new Problem(
    exitCodes.noBoard,
    `there is no host of that name: ${name}`,
    [detail],
    'Check the name, or give the IP address.',
  );
}

/** Why a line was lost, in words: what a device that went away says through its descriptor tells people nothing. */
export function lostReason(message: string): string {
  return /bad file descriptor|i\/o error|input\/output error|\bE(BADF|IO|NXIO|NODEV)\b/i.test(message)
    ? 'the device is gone: the cable, or the power of the board'
    : message;
}

/** The Problem for an errno-coded failure to open `name`. Codes and messages are those of Linux, macOS and serialport. */
export function openProblem(name: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { message = String(error), code = '' } = error as { message?: string; code?: string };
  const says = (pattern: RegExp) => pattern.test(code) || pattern.test(message);
  if (says(/ENOTFOUND|EAI_AGAIN/i)) return hostUnknown(name, message);
  if (says(/ENOENT|ENODEV|ENXIO|No such (file|device)|File not found/i)) return portMissing(name, message);
  if (says(/EACCES|EPERM|Permission denied/i)) return portDenied(name, message);
  if (says(/EBUSY|Resource busy|temporarily unavailable|Cannot lock port|EAGAIN|Access denied/i))
    return portBusy(name, message);
  return portUnusable(name, message);
}
