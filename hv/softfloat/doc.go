// Package softfloat is the floating-point arithmetic of x86: binary32 and
// binary64 as SSE computes them, and the x87's 80-bit extended format, exactly
// rounded in all rounding modes, with the exception flags that processors
// raise (SDM vol. 1, chapter 4.8 and 4.9, "Floating-Point Exceptions").
//
// An Env is the control state of one instruction; operations add to its Flags
// and never fault: whether an exception is masked is for the caller, with one
// exception - the x87 stores a scaled result where overflow or underflow is
// unmasked.
package softfloat
