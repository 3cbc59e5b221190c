package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pvlab/hv"
	"pvlab/hv/image"
)

// bootFlags are the options of `pvlab boot`.
type bootFlags struct {
	platform string
	dom0     bool
	vcpus    int
	pcpus    int
	mem      size
	cmdline  string
	initrd   string
	cpu      string
	tlb      string
	seed     uint64
	steps    uint64
	trace    []string
	json     bool
	tolerant bool
	audit    uint64
	noXPTI   bool
	l1tf     bool
}

// defaultSteps ends a run that never ends by itself: about a minute here.
const defaultSteps = 5_000_000_000

func (a *app) bootCmd() *cobra.Command {
	f := bootFlags{mem: 128 << 20}
	cmd := &cobra.Command{
		Use:   "boot GUEST",
		Short: "Boot an ELF kernel (or a packed one) and report how it ended",
		Long: `Boot any ELF with Xen notes (PV) or a PVH note (native), a bzImage, or either packed with
gzip, xz, lz4 or zstd. The guest's console is stdout and stdin; everything else is on stderr.
A file on stdin is typed from the start on; a pipe is read when the guest sleeps and listens for
input (it then waits until some comes, or stdin ends), else at every 4 Mi-th instruction.

GUEST is a file, or builtin:NAME for an embedded image (pvlab version lists them).

Exit status: 0 powered off, 10 killed (natively: triple fault), 11 reboot, 12 the guest
reported its own crash, 13 all vCPUs blocked with nothing that could wake them, 14 step limit,
15 something not modelled, 16 another shutdown reason; 64 usage, 65 unusable image, 70 a defect.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("boot takes one guest image, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.boot(args[0], &f, cmd.Flags().Changed("platform"))
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.platform, "platform", "", "xen or native (default: xen where the image fits both)")
	fl.BoolVar(&f.dom0, "dom0", false, "xen: boot as the first domain")
	fl.IntVar(&f.vcpus, "vcpus", 1, "number of virtual CPUs")
	fl.IntVar(&f.pcpus, "pcpus", 0, "xen: processors that the virtual CPUs share (default: one for each)")
	fl.Var(&f.mem, "mem", "guest memory, with suffix K, M or G")
	fl.StringVar(&f.cmdline, "append", "", "kernel command line")
	fl.StringVar(&f.initrd, "initrd", "", "initial ramdisk")
	fl.StringVar(&f.cpu, "cpu", "intel", "processor: intel, intel-2012 or amd")
	fl.StringVar(&f.tlb, "tlb", "keep", "stale translations until the guest flushes them: keep or drop")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the interleaving of several vCPUs")
	fl.Uint64Var(&f.steps, "max-steps", defaultSteps, "end after this many guest instructions")
	fl.StringSliceVar(&f.trace, "trace", nil, "trace entry, hypercall and/or insn on stderr")
	fl.BoolVar(&f.json, "json", false, "write JSON lines on stdout, the console as events")
	fl.BoolVar(&f.tolerant, "tolerant", false, "go on where something is not modelled, and say so in the verdict")
	fl.Uint64Var(&f.audit, "check-invariants", 0, "xen: recount all page types and references at each N-th entry into Xen (slow)")
	fl.Lookup("check-invariants").NoOptDefVal = "1"
	fl.BoolVar(&f.noXPTI, "no-xpti", false, "xen: without page-table isolation, as Xen with xpti=no")
	fl.BoolVar(&f.l1tf, "l1tf", false, "xen: on a host with the L1 terminal fault, against which Xen guards the domain")
	return cmd
}

// config checks the flags and turns them into a machine's configuration.
func (a *app) config(f *bootFlags) (hv.Config, error) {
	c := hv.Config{Dom0: f.dom0, VCPUs: f.vcpus, PCPUs: f.pcpus, Memory: uint64(f.mem), Cmdline: f.cmdline, CPU: f.cpu,
		Seed: f.seed, Tolerant: f.tolerant, Audit: f.audit,
		NoXPTI: f.noXPTI, L1TF: f.l1tf, Log: a.log}
	switch f.tlb {
	case "keep":
	case "drop":
		c.DropTLB = true
	default:
		return c, usagef("--tlb %q: want keep or drop", f.tlb)
	}
	if f.cpu != "intel" && f.cpu != "intel-2012" && f.cpu != "amd" {
		return c, usagef("--cpu %q: want intel, intel-2012 or amd", f.cpu)
	}
	if f.vcpus < 1 || f.vcpus > hv.MaxVCPUs {
		return c, usagef("--vcpus %d: want 1 to %d", f.vcpus, hv.MaxVCPUs)
	}
	if f.pcpus < 0 || f.pcpus > f.vcpus {
		return c, usagef("--pcpus %d: want 1 to %d, the number of vCPUs", f.pcpus, f.vcpus)
	}
	if m := uint64(f.mem); m < hv.MinMemory || m > hv.MaxMemory {
		return c, usagef("--mem %d bytes: want 4M to 16G", m)
	}
	return c, nil
}

// onlyXen refuses, on bare metal, options that mean nothing there.
func (f *bootFlags) onlyXen() error {
	for _, o := range []struct {
		name  string
		given bool
	}{{"dom0", f.dom0}, {"pcpus", f.pcpus != 0}, {"check-invariants", f.audit != 0}, {"no-xpti", f.noXPTI}, {"l1tf", f.l1tf}} {
		if o.given {
			return usagef("--%s is for --platform xen", o.name)
		}
	}
	return nil
}

// loadGuest reads and parses the image and settles the platform.
func loadGuest(name string, f *bootFlags, platformGiven bool) (*image.Image, hv.Platform, error) {
	img, err := openGuest(name, uint64(f.mem))
	if err != nil {
		return nil, 0, err
	}
	xen, native := img.CanXen(), img.CanNative()
	if platformGiven {
		p, err := hv.ParsePlatform(f.platform)
		if err != nil {
			return nil, 0, usagef("--%v", err)
		}
		if p == hv.Native {
			return img, p, native
		}
		return img, p, xen
	}
	if xen == nil {
		return img, hv.Xen, nil
	}
	if native == nil {
		return img, hv.Native, nil
	}
	return nil, 0, xen
}

func (a *app) boot(name string, f *bootFlags, platformGiven bool) error {
	cfg, err := a.config(f)
	if err != nil {
		return err
	}
	tr, err := parseTrace(f.trace)
	if err != nil {
		return err
	}
	img, platform, err := loadGuest(name, f, platformGiven)
	if err != nil {
		return err
	}
	if platform == hv.Native {
		if err := f.onlyXen(); err != nil {
			return err
		}
	}
	cfg.Platform = platform
	if f.initrd != "" {
		room := image.MaxRamdisk(uint64(f.mem), img, f.dom0)
		if platform == hv.Native {
			room = image.MaxRamdiskPVH(uint64(f.mem), img)
		}
		if cfg.Initrd, err = readInitrd(f.initrd, room); err != nil {
			return err
		}
	}
	s := a.newSession(f.json, tr)
	cfg.Console = s.console()
	cfg.Hypervisor = s.hypervisor
	cfg.Input = guestInput(a.in)
	m, err := hv.New(img, cfg)
	if err != nil {
		return err
	}
	defer m.Close()
	s.attach(m)
	r, err := s.run(m, f.steps)
	if err != nil {
		return err
	}
	s.ended(m, r)
	if r.End == hv.EndKilled || r.End == hv.EndGuestCrash {
		s.explain(r)
	}
	if code := r.End.ExitCode(); code != 0 {
		return finding(code)
	}
	return nil
}

// size is a byte count flag with K, M, G suffixes.
type size uint64

func (s *size) Type() string { return "SIZE" }

func (s *size) String() string {
	v := uint64(*s)
	for i, suffix := range []string{"G", "M", "K"} {
		unit := uint64(1) << (30 - 10*i)
		if v >= unit && v%unit == 0 {
			return fmt.Sprintf("%d%s", v/unit, suffix)
		}
	}
	return fmt.Sprint(v)
}

func (s *size) Set(text string) error {
	digits, shift := text, 0
	if n := len(text); n > 0 {
		switch text[n-1] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		}
		if shift != 0 {
			digits = text[:n-1]
		}
	}
	var v uint64
	if len(digits) == 0 || len(digits) > 15 {
		return fmt.Errorf("%q is not a size such as 128M", text)
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return fmt.Errorf("%q is not a size such as 128M", text)
		}
		v = v*10 + uint64(d-'0')
	}
	if v > 1<<(63-shift) {
		return fmt.Errorf("%q is too large", text)
	}
	*s = size(v << shift)
	return nil
}
