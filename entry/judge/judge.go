package judge

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Judge holds what the oracles need on this machine. It is never changed after
// Open, so runs may go on at the same time.
type Judge struct {
	cache     string
	qemu      string    // the repaired copy, or the packaged binary
	unapplied []QuirkID // repairs that did not fit this QEMU
	xen       string    // the unpacked hypervisor
	xenErr    error     // why there is none
}

// Open finds QEMU and the hypervisor and fills the cache. Without QEMU it
// returns a *Missing error; without the hypervisor the native side still works,
// and runs under Xen return the *Missing error.
func Open() (*Judge, error) {
	packaged, err := qemuBinary()
	if err != nil {
		return nil, err
	}
	dir, err := cacheDir()
	if err != nil {
		return nil, err
	}
	j := &Judge{cache: dir}
	if j.qemu, j.unapplied, err = repairedQemu(packaged, dir); err != nil {
		return nil, fmt.Errorf("judge: copy of %s: %w", packaged, err)
	}
	j.xen, j.xenErr = unpackXen(dir)
	return j, nil
}

// Run is one guest to run on an oracle.
type Run struct {
	Platform Platform
	Image    []byte // the ELF, or for Xen anything it boots as dom0
	Cmdline  string
	Initrd   []byte // nil for none
	VCPUs    int    // 0 means 1
	PCPUs    int    // processors of the machine under Xen; 0 means one for each vCPU
	MemMiB   int    // the guest's memory in MiB, 0 means 256

	// Timeout is how long the guest may run before the end is EndHang; 0 means
	// 10 s. The boot of Xen does not count.
	Timeout time.Duration
	// Quiet is how long the console is silent before the judge looks whether all
	// vCPUs are blocked; 0 means 1 s.
	Quiet time.Duration
	// Bulk is for a guest that makes very many calls, and of which only its own
	// lines matter: Xen is not asked for its messages about single calls, and
	// exceptions are not recorded (Outcome.Traps is empty).
	Bulk bool
	// XenOptions are put behind Xen's own command line: for what differs from
	// the defaults, which everything else is compared on.
	XenOptions string
}

func (r Run) withDefaults() Run {
	if r.VCPUs == 0 {
		r.VCPUs = 1
	}
	if r.PCPUs == 0 {
		r.PCPUs = r.VCPUs
	}
	if r.MemMiB == 0 {
		r.MemMiB = 256
	}
	if r.Timeout == 0 {
		r.Timeout = 10 * time.Second
	}
	if r.Quiet == 0 {
		r.Quiet = time.Second
	}
	return r
}

// Run runs one guest to its end. The error tells that there is no outcome: a
// tool is missing, QEMU failed, Xen itself died or refused the image, or ctx
// ended.
func (j *Judge) Run(ctx context.Context, r Run) (Outcome, error) {
	r = r.withDefaults()
	dir, err := os.MkdirTemp("", "pvlab-judge-")
	if err != nil {
		return Outcome{}, err
	}
	defer os.RemoveAll(dir)
	// QEMU splits lists of files at commas and at the first blank: plain names.
	image, initrd := filepath.Join(dir, "image"), ""
	if err := os.WriteFile(image, r.Image, 0o600); err != nil {
		return Outcome{}, err
	}
	if r.Initrd != nil {
		initrd = filepath.Join(dir, "initrd")
		if err := os.WriteFile(initrd, r.Initrd, 0o600); err != nil {
			return Outcome{}, err
		}
	}
	switch r.Platform {
	case Xen:
		if j.xenErr != nil {
			return Outcome{}, j.xenErr
		}
		return j.runXen(ctx, r, image, initrd)
	case Native:
		return j.runNative(ctx, r, image, initrd)
	}
	return Outcome{}, fmt.Errorf("judge: no platform %q", r.Platform)
}

// Result is one element of RunAll's answer.
type Result struct {
	Outcome Outcome
	Err     error
	Took    time.Duration // from starting QEMU to the outcome
}

// atOnce is how many machines run at the same time.
const atOnce = 2

// RunAll runs the guests two at a time and calls each with every result in the
// order of runs, as soon as it and all before it are there.
func (j *Judge) RunAll(ctx context.Context, runs []Run, each func(i int, r Result)) {
	results := make([]chan Result, len(runs))
	for i := range results {
		results[i] = make(chan Result, 1)
	}
	next := make(chan int)
	for range min(atOnce, len(runs)) {
		go func() {
			for i := range next {
				start := time.Now()
				o, err := j.Run(ctx, runs[i])
				results[i] <- Result{o, err, time.Since(start)}
			}
		}()
	}
	go func() {
		defer close(next)
		for i := range runs {
			next <- i
		}
	}()
	for i := range runs {
		each(i, <-results[i])
	}
}
