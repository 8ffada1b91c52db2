@ SVC, faults, both stacks and the special registers, in ARMv6-M instructions. Every part appends words to `out`:
@ r7 points to the next one. Comments say what a step leaves there.
  .text
  .thumb
  .syntax unified

  .macro leave register
  stmia r7!, {\register}
  .endm

  .global main
  .thumb_func
main:
  push {r4-r7, lr}
  ldr r7, =out

  @ Flags and the special registers as MSR and MRS have them.
  ldr r0, =0xa0000000
  msr APSR_nzcvq, r0
  mrs r1, APSR
  leave r1
  ldr r0, =0x50000000
  msr APSR_nzcvq, r0
  mrs r1, XPSR
  movs r2, #15
  lsls r2, r2, #28
  ands r1, r2
  leave r1
  cpsid i
  mrs r1, PRIMASK
  leave r1
  cpsie i
  mrs r1, PRIMASK
  leave r1
  mrs r1, CONTROL
  leave r1
  dmb
  dsb
  isb

  @ An SVC on the main stack: the handler appends its number, IPSR and EXC_RETURN, and adds 5 to the stacked r0.
  movs r0, #10
  movs r1, #1
  lsls r1, r1, #31
  svc #17
  leave r0
  mrs r1, APSR
  lsrs r1, r1, #28
  leave r1

  @ On the process stack, at an address that is no multiple of 8: the frame is aligned and the pointer comes back.
  ldr r0, =process_end - 12
  msr PSP, r0
  movs r0, #2
  msr CONTROL, r0
  isb
  movs r0, #20
  svc #33
  leave r0
  mrs r1, PSP
  ldr r2, =process_end
  subs r1, r2, r1
  leave r1
  mrs r1, CONTROL
  leave r1
  movs r0, #0
  msr CONTROL, r0
  isb

  @ Faults: the handler appends 99 and IPSR, and skips the instruction (2 bytes).
  .hword 0xde01            @ UDF
  cpsid i
  svc #1                   @ masked: a hard fault
  cpsie i
  bl end_of_faults
  pop {r4-r7, pc}

  .balign 4
  .thumb_func
end_of_faults:
  mov r4, lr
  leave r4
  movs r5, #77
  leave r5
  bx lr
  .pool

  .global on_svc
  .thumb_func
on_svc:
  mov r3, lr
  mrs r2, MSP
  lsrs r0, r3, #3
  bcc 1f
  mrs r2, PSP
1: ldr r1, [r2, #24]
  subs r1, r1, #2
  ldrb r1, [r1]
  leave r1
  mrs r1, IPSR
  leave r1
  leave r3
  ldr r1, [r2, #28]
  lsrs r1, r1, #9
  leave r1
  ldr r1, [r2]
  adds r1, r1, #5
  str r1, [r2]
  bx lr

  .global on_fault
  .thumb_func
on_fault:
  movs r1, #99
  leave r1
  mrs r1, IPSR
  leave r1
  ldr r1, [sp, #24]
  adds r1, r1, #2
  str r1, [sp, #24]
  bx lr

  .bss
  .balign 8
process: .space 256
process_end:
  .global out, out_end
out: .space 160
out_end:
