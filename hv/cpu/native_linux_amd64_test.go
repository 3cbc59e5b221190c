package cpu

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"pvlab/hv/x86"
)

// realCPU runs single instructions on the host's processor: a child process
// stopped by ptrace before its first instruction, with pages shared between
// it and the test. The child never runs code of its own.
type realCPU struct {
	pid   int
	mem   []byte // codePage, dataPages, read-only page, in this order
	flags map[string]bool

	compat bool // the child stopped in 32-bit code
}

// newRealCPU starts the child; the calling goroutine is locked to its thread,
// as ptrace demands.
func newRealCPU(t testing.TB) *realCPU {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	name := []byte("pvlab\x00")
	fd, _, errno := syscall.Syscall(319 /* memfd_create */, uintptr(unsafe.Pointer(&name[0])), 0, 0)
	if errno != 0 {
		t.Skipf("real CPU: memfd_create: %v", errno)
	}
	f := os.NewFile(fd, "memfd")
	defer f.Close()
	if err := f.Truncate(sharedBytes); err != nil {
		t.Fatal(err)
	}
	mem, err := syscall.Mmap(int(fd), 0, sharedBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := syscall.ForkExec(exe, []string{exe}, &syscall.ProcAttr{
		Files: []uintptr{0, 1, 2, fd},
		Sys:   &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		t.Skipf("real CPU: cannot trace a child: %v", err)
	}
	r := &realCPU{pid: pid, mem: mem, flags: hostFlags()}
	t.Cleanup(func() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		var ws syscall.WaitStatus
		_, _ = syscall.Wait4(pid, &ws, 0, nil)
		_ = syscall.Munmap(mem)
	})
	if _, err := r.wait(); err != nil {
		t.Skipf("real CPU: %v", err)
	}
	if err := r.mapPages(); err != nil {
		t.Skipf("real CPU: %v", err)
	}
	return r
}

// hostFlags are the feature names of /proc/cpuinfo.
func hostFlags() map[string]bool {
	flags := map[string]bool{}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return flags
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == "flags" {
			for _, name := range strings.Fields(v) {
				flags[name] = true
			}
			break
		}
	}
	return flags
}

func (r *realCPU) wait() (syscall.Signal, error) {
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(r.pid, &ws, 0, nil); err != nil {
		return 0, err
	}
	if !ws.Stopped() {
		return 0, fmt.Errorf("child is gone: status %#x", ws)
	}
	return ws.StopSignal(), nil
}

// syscall makes the child call the kernel by stepping a SYSCALL put at rip.
func (r *realCPU) syscall(rip, nr uint64, args [6]uint64) (uint64, error) {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(r.pid, &regs); err != nil {
		return 0, err
	}
	if rip == 0 {
		rip = regs.Rip
	}
	if _, err := syscall.PtracePokeData(r.pid, uintptr(rip), []byte{0x0f, 0x05}); err != nil {
		return 0, err
	}
	regs.Rip, regs.Rax, regs.Orig_rax = rip, nr, ^uint64(0)
	regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8, regs.R9 = args[0], args[1], args[2], args[3], args[4], args[5]
	if err := syscall.PtraceSetRegs(r.pid, &regs); err != nil {
		return 0, err
	}
	if err := syscall.PtraceSingleStep(r.pid); err != nil {
		return 0, err
	}
	if _, err := r.wait(); err != nil {
		return 0, err
	}
	err := syscall.PtraceGetRegs(r.pid, &regs)
	return regs.Rax, err
}

// mapPages gives the child the shared pages and takes everything else away.
func (r *realCPU) mapPages() error {
	const fixedShared = syscall.MAP_SHARED | syscall.MAP_FIXED
	for _, m := range []struct{ addr, length, prot, offset uint64 }{
		{codeVA, 0x1000, syscall.PROT_READ | syscall.PROT_WRITE | syscall.PROT_EXEC, 0},
		{dataVA, dataBytes, syscall.PROT_READ | syscall.PROT_WRITE, 0x1000},
		{dataVA + dataBytes, 0x1000, syscall.PROT_READ, 0x1000 + dataBytes},
	} {
		at, err := r.syscall(0, syscall.SYS_MMAP, [6]uint64{m.addr, m.length, m.prot, fixedShared, 3, m.offset})
		if err != nil || at != m.addr {
			return fmt.Errorf("mmap(%#x) = %#x, %v", m.addr, at, err)
		}
	}
	const end, top = dataVA + dataBytes + 0x1000, 0x7fff_ffff_f000
	for _, m := range [][2]uint64{{0, codeVA}, {codeVA + 0x1000, dataVA}, {end, top}} {
		if v, err := r.syscall(codeVA, syscall.SYS_MUNMAP, [6]uint64{m[0], m[1] - m[0]}); err != nil || v != 0 {
			return fmt.Errorf("munmap(%#x) = %#x, %v", m[0], v, err)
		}
	}
	return nil
}

// makeLDT gives the child the descriptors of ldt (Linux: modify_ldt).
func (r *realCPU) makeLDT() error {
	for i, s := range ldt {
		// struct user_desc: entry, base, limit, flags
		flags := uint32(s.Attr>>10&1) | uint32(s.Attr>>2&3)<<1 // seg_32bit, contents
		if s.Attr&x86.AttrRW == 0 {
			flags |= 1 << 3 // read_exec_only
		}
		for k, v := range []uint32{uint32(i), uint32(s.Base), s.Limit, flags} {
			binary.LittleEndian.PutUint32(r.mem[0x1000+4*k:], v)
		}
		if v, err := r.syscall(codeVA, syscall.SYS_MODIFY_LDT, [6]uint64{0x11, dataVA, 16}); err != nil || v != 0 {
			return fmt.Errorf("modify_ldt(%d) = %#x, %v", i, v, err)
		}
	}
	return nil
}

// step runs one instruction from s (of a REP form, one iteration). Afterwards
// s is the new state and the outcome says which fault there was.
func (r *realCPU) step(s *cpuState, u *setup) (outcome, error) {
	return r.resume(s, u, syscall.PtraceSingleStep)
}

// runTo runs freely from s to an INT3 that the test put at end.
func (r *realCPU) runTo(s *cpuState, u *setup, end uint64) (outcome, error) {
	o, err := r.resume(s, u, func(pid int) error { return syscall.PtraceCont(pid, 0) })
	if s.RIP == end+1 && o.what == "" {
		s.RIP = end
	}
	return o, err
}

func (r *realCPU) resume(s *cpuState, u *setup, how func(pid int) error) (outcome, error) {
	if err := r.setState(s, u); err != nil {
		return outcome{}, err
	}
	if err := how(r.pid); err != nil {
		return outcome{}, err
	}
	sig, err := r.wait()
	if err != nil {
		return outcome{}, err
	}
	if err := r.getState(s); err != nil {
		return outcome{}, err
	}
	return r.outcome(sig)
}

// The kernel shows a child's registers in the layout of the code it stopped
// in: 64-bit, or for a 32-bit code segment
// ebx ecx edx esi edi ebp eax ds es fs gs orig eip cs eflags esp ss.
type regs32 struct {
	BX, CX, DX, SI, DI, BP, AX, DS, ES, FS, GS, Orig, IP, CS, Flags, SP, SS uint32
}

func (r *realCPU) setState(s *cpuState, u *setup) error {
	sel := func(seg int) uint32 { return uint32(u.segs[seg].Sel) }
	if r.compat {
		v := regs32{
			AX: uint32(s.R[0]), CX: uint32(s.R[1]), DX: uint32(s.R[2]), BX: uint32(s.R[3]),
			SP: uint32(s.R[4]), BP: uint32(s.R[5]), SI: uint32(s.R[6]), DI: uint32(s.R[7]),
			IP: uint32(s.RIP), Flags: uint32(s.Flags) | 0x202, Orig: ^uint32(0),
			CS: sel(x86.CS), DS: sel(x86.DS), ES: sel(x86.ES), SS: sel(x86.SS), FS: sel(x86.FS), GS: sel(x86.GS),
		}
		_, err := r.regset(0x4205 /* SETREGSET */, unsafe.Pointer(&v), unsafe.Sizeof(v))
		return err
	}
	v := syscall.PtraceRegs{
		Rax: s.R[0], Rcx: s.R[1], Rdx: s.R[2], Rbx: s.R[3], Rsp: s.R[4], Rbp: s.R[5], Rsi: s.R[6], Rdi: s.R[7],
		R8: s.R[8], R9: s.R[9], R10: s.R[10], R11: s.R[11], R12: s.R[12], R13: s.R[13], R14: s.R[14], R15: s.R[15],
		Rip: s.RIP, Eflags: s.Flags | 0x202, Orig_rax: ^uint64(0),
		Cs: uint64(sel(x86.CS)), Ss: uint64(sel(x86.SS)), Ds: uint64(sel(x86.DS)), Es: uint64(sel(x86.ES)),
		Fs: uint64(sel(x86.FS)), Gs: uint64(sel(x86.GS)), Fs_base: s.FSBase, Gs_base: s.GSBase,
	}
	return syscall.PtraceSetRegs(r.pid, &v)
}

func (r *realCPU) getState(s *cpuState) error {
	var v syscall.PtraceRegs
	n, err := r.regset(0x4204 /* GETREGSET */, unsafe.Pointer(&v), unsafe.Sizeof(v))
	if err != nil {
		return err
	}
	if r.compat = n == unsafe.Sizeof(regs32{}); r.compat {
		w := (*regs32)(unsafe.Pointer(&v))
		s.R = [16]uint64{uint64(w.AX), uint64(w.CX), uint64(w.DX), uint64(w.BX),
			uint64(w.SP), uint64(w.BP), uint64(w.SI), uint64(w.DI)}
		s.RIP, s.Flags = uint64(w.IP), uint64(w.Flags)&comparedFlags
		return nil
	}
	s.R = [16]uint64{v.Rax, v.Rcx, v.Rdx, v.Rbx, v.Rsp, v.Rbp, v.Rsi, v.Rdi,
		v.R8, v.R9, v.R10, v.R11, v.R12, v.R13, v.R14, v.R15}
	s.RIP, s.Flags = v.Rip, v.Eflags&comparedFlags
	return nil
}

// regset gets or sets the general registers and returns the layout's size.
func (r *realCPU) regset(request uintptr, p unsafe.Pointer, n uintptr) (uintptr, error) {
	iov := struct {
		base unsafe.Pointer
		size uintptr
	}{p, n}
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, request, uintptr(r.pid), 1 /* NT_PRSTATUS */, uintptr(unsafe.Pointer(&iov)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return iov.size, nil
}

// outcome turns the signal of a stop into what the processor reported.
func (r *realCPU) outcome(sig syscall.Signal) (outcome, error) {
	if sig == syscall.SIGTRAP {
		return outcome{}, nil
	}
	var info [128]byte
	if _, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, 0x4202 /* GETSIGINFO */, uintptr(r.pid), 0, uintptr(unsafe.Pointer(&info[0])), 0, 0); errno != 0 {
		return outcome{}, errno
	}
	code := *(*int32)(unsafe.Pointer(&info[8]))
	addr := *(*uint64)(unsafe.Pointer(&info[16]))
	const siKernel = 0x80
	switch {
	case sig == syscall.SIGFPE && code == 1: // FPE_INTDIV
		return outcome{what: "#DE"}, nil
	case sig == syscall.SIGFPE: // from the x87 or from SSE
		return outcome{what: "#FP"}, nil
	case sig == syscall.SIGILL:
		return outcome{what: "#UD"}, nil
	case sig == syscall.SIGSEGV && (code == 1 || code == 2):
		return outcome{what: "#PF", addr: addr}, nil
	case sig == syscall.SIGSEGV && code == siKernel:
		return outcome{what: "#GP"}, nil // also #BR
	case sig == syscall.SIGBUS && code == siKernel:
		return outcome{what: "#SS"}, nil
	case sig == syscall.SIGBUS:
		return outcome{what: "#AC"}, nil
	}
	return outcome{}, fmt.Errorf("unexpected signal %v code %d", sig, code)
}
