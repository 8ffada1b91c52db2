/**
 * A firmware of our own for the RP2040, so that the whole-system mode is tested without anyone's image: a polled USB
 * serial device that sends back what it gets, and obeys four letters at the start of a packet.
 *
 *   E  erases the first sector of the program area      B  stops at a breakpoint, as a fatal error does
 *   P  fills a page in RAM (ROM memset) and programs it there     R  sends what the flash holds there
 *
 * Every ROM function is found through the ROM's table, as the SDK does. References: RP2040 datasheet 2.8.3 (ROM
 * functions), 4.1 (USB registers).
 */
import { assemble } from './assemble.ts';

const origin = 0x1000_0100;

const source = `
  .word 0x20040000
  .word entryThumb
entry:
  ldr r7, =0x50100000       @ USB memory
  ldr r6, =0x50110000       @ USB registers
  ldr r0, =0x80000180       @ endpoint 1 out: enabled, bytes at 0x180
  str r0, [r7, #12]
  ldr r0, =0x800001c0       @ endpoint 2 in: enabled, bytes at 0x1c0
  str r0, [r7, #16]
  movs r0, #1
  str r0, [r6, #0x40]       @ MAIN_CTRL: on
loop:
  ldr r5, =0x50110050       @ SIE_STATUS
  ldr r0, [r5, #0]
  ldr r1, =0x80000          @ a bus reset
  tst r0, r1
  beq noReset
  str r1, [r5, #0]
noReset:
  ldr r1, =0x20000          @ a setup packet
  tst r0, r1
  beq noSetup
  str r1, [r5, #0]
  bl setup
noSetup:
  ldr r5, =0x50110058       @ BUFF_STATUS
  ldr r0, [r5, #0]
  str r0, [r5, #0]
  movs r1, #8               @ endpoint 1 out has bytes
  tst r0, r1
  beq loop
  bl serve
  bl arm
  b loop

setup:
  push {lr}
  ldrb r0, [r7, #0]
  ldrb r1, [r7, #1]
  movs r3, #0
  cmp r1, #9                @ SET_CONFIGURATION
  bne notConfigured
  bl arm
  movs r3, #0
  movs r0, #0
notConfigured:
  movs r1, #0x80
  tst r0, r1
  beq answer                @ not for the host: an empty packet
  ldrh r3, [r7, #6]
  ldr r4, =0x50100100
  ldr r5, =descriptor
  movs r2, #0
copy:
  ldrb r0, [r5, r2]
  strb r0, [r4, r2]
  adds r2, #1
  cmp r2, r3
  bne copy
answer:
  ldr r0, =0xa400           @ full, available, data 1
  orrs r0, r3
  ldr r1, =0x50100080
  str r0, [r1, #0]
  pop {pc}

arm:
  push {lr}
  ldr r0, =0x0440           @ 64 bytes, available
  ldr r1, =0x5010008c
  str r0, [r1, #0]
  pop {pc}

serve:
  push {lr}
  ldr r1, =0x5010008c
  ldr r3, [r1, #0]
  lsls r3, r3, #22
  lsrs r3, r3, #22          @ how many
  ldr r4, =0x50100180
  ldrb r0, [r4, #0]
  cmp r0, #0x45
  beq erase
  cmp r0, #0x50
  beq program
  cmp r0, #0x52
  beq read
  cmp r0, #0x42
  beq stop
  ldr r5, =0x501001c0
  movs r2, #0
echo:
  ldrb r0, [r4, r2]
  strb r0, [r5, r2]
  adds r2, #1
  cmp r2, r3
  bne echo
send:
  ldr r0, =0x8400           @ full, available
  orrs r0, r3
  ldr r1, =0x50100090
  str r0, [r1, #0]
  pop {pc}
stop:
  bkpt
erase:
  ldr r1, =0x4552           @ RE
  bl lookUp
  mov r4, r0
  ldr r0, =0x100000
  ldr r1, =4096
  ldr r2, =65536
  movs r3, #0xd8
  blx r4
  b done
program:
  ldr r1, =0x534d           @ MS
  bl lookUp
  mov r4, r0
  ldr r0, =0x20001000
  movs r1, #0x5a
  ldr r2, =256
  blx r4
  ldr r1, =0x5052           @ RP
  bl lookUp
  mov r4, r0
  ldr r0, =0x100000
  ldr r1, =0x20001000
  ldr r2, =256
  blx r4
done:
  ldr r5, =0x501001c0
  movs r0, #0x2e            @ a full stop: done
  strb r0, [r5, #0]
  movs r3, #1
  b send
read:
  ldr r4, =0x10100000
  ldr r5, =0x501001c0
  ldr r0, [r4, #0]
  str r0, [r5, #0]
  movs r3, #4
  b send

lookUp:
  push {lr}
  movs r3, #0x14
  ldrh r0, [r3, #0]
  ldrh r3, [r3, #4]
  blx r3
  pop {pc}

.align
descriptor:
  .byte 9, 2, 41, 0, 2, 1, 0, 128, 50
  .byte 9, 4, 0, 0, 0, 2, 2, 0, 0
  .byte 9, 4, 1, 0, 2, 10, 0, 0, 0
  .byte 7, 5, 1, 2, 64, 0, 0
  .byte 7, 5, 130, 2, 64, 0, 0
.align
`;

/** The image as its flash holds it, from the start of the flash on. */
export function testImage(): Uint8Array {
  const once = assemble(source.replace('entryThumb', '0'), origin);
  const { bytes } = assemble(source.replace('entryThumb', String(once.labels.get('entry')! | 1)), origin);
  const image = new Uint8Array(0x100 + bytes.length).fill(0xff);
  image.set(bytes, 0x100);
  return image;
}

/** `image` as a UF2 file for the RP2040 family, a page a block. */
export function uf2Of(image: Uint8Array, family = 0xe48bff56): Uint8Array {
  const count = Math.ceil(image.length / 256);
  const file = new Uint8Array(512 * count);
  for (let block = 0; block < count; block++) {
    const view = new DataView(file.buffer, 512 * block, 512);
    [0x0a324655, 0x9e5d5157, 0x2000, 0x1000_0000 + 256 * block, 256, block, count, family].forEach((word, i) => {
      view.setUint32(4 * i, word, true);
    });
    file.set(image.subarray(256 * block, 256 * (block + 1)), 512 * block + 32);
    view.setUint32(508, 0x0ab16f30, true);
  }
  return file;
}
