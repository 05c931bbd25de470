//go:build !race && !failpoints && !sched

#include "textflag.h"

// What Claim, Fill and Commit do in Go, in one pass over the payload. On amd64 stores are
// seen by others in the order in which they are made, so a plain one releases; what Go
// compiles an atomic store to also waits until all stores before it are done.
//
// The payload's checksum begins with nothing, so that the processor need not wait for the
// counter, nor for a compare-and-swap before this, to compute it; the header's is then moved
// over it, which is a multiplication (Gopal et al., Fast CRC Computation for iSCSI Polynomial
// Using CRC32 Instruction, Intel 2011).

// func inscribe(b *byte, payload []byte, word, stamp, time uint64, lost, seed uint32)
TEXT ·inscribe(SB), NOSPLIT, $0-64
	MOVQ b+0(FP), DI
	MOVQ payload_base+8(FP), SI
	MOVQ payload_len+16(FP), CX
	MOVQ word+32(FP), R8
	MOVQ stamp+40(FP), R9
	MOVQ time+48(FP), AX
	MOVL lost+56(FP), R10
	MOVL seed+60(FP), R11
	LEAQ ·moves(SB), R12
	MOVL (R12)(CX*4), X1 // moves the header's checksum over the payload

	MOVQ R8, 16(DI) // the length goes first, then the stamp that vouches for it (W2)
	MOVQ R9, (DI)   // CLAIMED

	TESTQ AX, AX
	JNE   timed
	RDTSC
	SHLQ  $32, DX
	ORQ   DX, AX

timed:
	MOVL      R10, 12(DI)
	MOVQ      AX, 24(DI)
	NOTL      R11
	CRC32L    R10, R11
	CRC32Q    R8, R11
	CRC32Q    AX, R11
	MOVQ      R11, X0
	PCLMULQDQ $0, X1, X0
	MOVQ      X0, BX
	XORL      R11, R11
	CRC32Q    BX, R11 // R11: the header's checksum, moved over the payload

	LEAQ 32(DI), R12
	XORL R13, R13     // R13: of the payload, or of its last part
	CMPQ CX, $48
	JLT  one

	// Three parts of R10 bytes, a third of the whole words, and what is left behind them.
	IMUL3Q $2731, CX, DX // a 24th, up to 512
	SHRQ   $16, DX
	LEAQ   (DX*8), R10
	LEAQ   ·moves(SB), AX
	SUBQ   R10, CX
	MOVL   (AX)(CX*4), X1
	SUBQ   R10, CX
	MOVL   (AX)(CX*4), X2
	SUBQ   R10, CX
	XORL   R8, R8        // R8: of the first part
	XORL   AX, AX        // AX: of the second

three:
	MOVQ   (SI), BX
	MOVQ   BX, (R12)
	CRC32Q BX, R8
	MOVQ   (SI)(R10*1), BX
	MOVQ   BX, (R12)(R10*1)
	CRC32Q BX, AX
	MOVQ   (SI)(R10*2), BX
	MOVQ   BX, (R12)(R10*2)
	CRC32Q BX, R13
	ADDQ   $8, SI
	ADDQ   $8, R12
	DECQ   DX
	JNE    three

	LEAQ      (SI)(R10*2), SI
	LEAQ      (R12)(R10*2), R12
	MOVQ      R8, X0
	PCLMULQDQ $0, X1, X0
	MOVQ      X0, BX
	XORL      R8, R8
	CRC32Q    BX, R8
	XORL      R8, R11
	MOVQ      AX, X0
	PCLMULQDQ $0, X2, X0
	MOVQ      X0, BX
	XORL      AX, AX
	CRC32Q    BX, AX
	XORL      AX, R11

one:
	SUBQ $8, CX
	JLT  rest

words:
	MOVQ   (SI), BX
	MOVQ   BX, (R12)
	CRC32Q BX, R13
	ADDQ   $8, SI
	ADDQ   $8, R12
	SUBQ   $8, CX
	JGE    words

rest: // the low bits of CX are those of what is left
	TESTQ  $4, CX
	JEQ    below4
	MOVL   (SI), BX
	MOVL   BX, (R12)
	CRC32L BX, R13
	ADDQ   $4, SI
	ADDQ   $4, R12

below4:
	TESTQ  $2, CX
	JEQ    below2
	MOVW   (SI), BX
	MOVW   BX, (R12)
	CRC32W BX, R13
	ADDQ   $2, SI
	ADDQ   $2, R12

below2:
	TESTQ  $1, CX
	JEQ    done
	MOVB   (SI), BX
	MOVB   BX, (R12)
	CRC32B BX, R13

done:
	XORL R13, R11
	NOTL R11
	MOVL R11, 8(DI)
	INCQ R9
	MOVQ R9, (DI) // COMMITTED
	RET
