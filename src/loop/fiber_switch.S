/* SPDX-License-Identifier: MIT
 *
 * void *fiber_switch(void **save_sp, void *to_sp)
 *
 * Stores the callee-saved registers on the present stack, its pointer in *save_sp, and goes
 * on where the stack to_sp left off. swapcontext() would do the same with a system call for
 * the signal mask each time. */
	.text
	.globl fiber_switch
	.hidden fiber_switch
	.type fiber_switch, %function
fiber_switch:
#if defined(__x86_64__)
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
#elif defined(__aarch64__)
	stp x29, x30, [sp, #-160]!
	stp x19, x20, [sp, #16]
	stp x21, x22, [sp, #32]
	stp x23, x24, [sp, #48]
	stp x25, x26, [sp, #64]
	stp x27, x28, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp, #16]
	ldp x21, x22, [sp, #32]
	ldp x23, x24, [sp, #48]
	ldp x25, x26, [sp, #64]
	ldp x27, x28, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	ldp x29, x30, [sp], #160
	ret
#else
#error "fiber_switch: write the switch for this CPU here"
#endif
	.size fiber_switch, .-fiber_switch
	.section .note.GNU-stack, "", %progbits
