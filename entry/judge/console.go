package judge

import (
	"regexp"
	"strconv"
	"strings"
)

// xenPrefix begins every line of Xen's own. A guest that writes it itself is
// taken for Xen; ours do not.
const xenPrefix = "(XEN) "

// ParseConsole reads the serial text of a PV guest under Xen, from after Xen's
// boot to the end, into an Outcome. It serves real Xen and the model alike, since
// both print the same text. End stays EndUnknown when the text does not tell
// (a guest that is blocked prints nothing). Lines it does not know are kept in
// Outcome.Xen and otherwise ignored, so it never fails.
func ParseConsole(text string) Outcome {
	o := Outcome{Platform: Xen, Vector: -1}
	p := consoleParser{o: &o}
	for line := range strings.Lines(text) {
		p.line(strings.Trim(line, "\r\n"))
	}
	p.finish()
	return o
}

type consoleParser struct {
	o      *Outcome
	killed bool // `Domain 0 (vcpu#0) crashed`
	panic  bool // the guest's own PANIC line
	walk   bool // inside a page walk
	stack  bool // inside a stack dump
	entry  string
	iret   string
}

func (p *consoleParser) line(s string) {
	// Xen may speak before the guest has ended its line.
	if i := strings.Index(s, xenPrefix); i >= 0 {
		if i > 0 {
			p.guest(s[:i])
		}
		p.xen(s[i+len(xenPrefix):])
		return
	}
	p.guest(s)
}

func (p *consoleParser) guest(s string) {
	p.walk, p.stack = false, false
	if strings.HasPrefix(s, "PANIC:") {
		p.panic = true
	}
	p.o.Transcript = append(p.o.Transcript, s)
}

var (
	reUnhandled = regexp.MustCompile(`^d\d+v\d+ Unhandled: vec (\d+), [#A-Z]+\[([0-9a-f]+)\]$`)
	reWalk      = regexp.MustCompile(`^Pagetable walk from ([0-9a-f]{16}):$`)
	reWalkEntry = regexp.MustCompile(`^ L([1-4])\[0x([0-9a-f]{3})\] = ([0-9a-f]{16}) ([0-9a-f]{16})( \(PSE\))?$`)
	reEntryS    = regexp.MustCompile(`^domain_crash_sync called from entry\.S: fault at [0-9a-f]{16} (\S+)$`)
	reCrashed   = regexp.MustCompile(`^Domain \d+ \(vcpu#\d+\) crashed on cpu#\d+:$`)
	reStack     = regexp.MustCompile(`^Guest stack trace from rsp=[0-9a-f]{16}:$`)
	reWords     = regexp.MustCompile(`^   [0-9a-f]{16}( [0-9a-f]{16}){0,3}$`)
	reReason    = regexp.MustCompile(`^Hardware Dom\d+ shutdown \(unknown reason (\d+)\):`)
	reHardware  = regexp.MustCompile(`^Hardware (?:Dom|domain )\d+ (halted|crashed|shutdown: rebooting|shutdown: watchdog|did unsupported soft reset)`)
)

// Messages of the deaths that are reported from C, with their rules.
const (
	msgIretUnreadable = "Fault while reading IRET context from guest stack"
	msgNoUserTables   = "Guest switching to user mode with no user page tables"
	msgFailsafe       = "creating failsafe callback frame" // 4.17: "error while " before it, later "Error "
	msgL1TF           = " L1TF-vulnerable L"
)

func (p *consoleParser) xen(s string) {
	o := p.o
	o.Xen = append(o.Xen, s)
	if p.stack && p.stackLine(s) {
		return
	}
	if p.walk {
		if m := reWalkEntry.FindStringSubmatch(s); m != nil {
			w := &o.Walks[len(o.Walks)-1]
			w.Entries = append(w.Entries, WalkEntry{
				Level: int(m[1][0] - '0'), Index: int(hex(m[2])),
				Entry: hex(m[3]), PFN: hex(m[4]), Superpage: m[5] != "",
			})
			return
		}
		p.walk = false
	}
	if p.killed && parseRegsLine(o, s) {
		return
	}
	switch {
	case reStack.MatchString(s):
		p.stack = true
	case reCrashed.MatchString(s):
		p.killed = true
	case strings.HasSuffix(s, msgIretUnreadable), strings.HasSuffix(s, msgNoUserTables),
		strings.HasSuffix(s, msgFailsafe), strings.Contains(s, msgL1TF):
		p.iret = s
	default:
		p.reports(s)
	}
}

// reports reads the lines that carry a value.
func (p *consoleParser) reports(s string) {
	o := p.o
	if m := reUnhandled.FindStringSubmatch(s); m != nil {
		o.Vector, _ = strconv.Atoi(m[1])
		// All ones in 32 bits is Xen's "no error code" (X86_EVENT_NO_EC).
		o.Code = hex(m[2])
		if o.HasCode = o.Code != 0xffffffff; !o.HasCode {
			o.Code = 0
		}
	} else if m := reWalk.FindStringSubmatch(s); m != nil {
		o.Walks = append(o.Walks, Walk{Addr: hex(m[1])})
		p.walk = true
	} else if m := reEntryS.FindStringSubmatch(s); m != nil {
		p.entry = m[1]
	} else if m := reReason.FindStringSubmatch(s); m != nil {
		o.End = EndShutdownOther
		o.Reason, _ = strconv.Atoi(m[1])
	} else if m := reHardware.FindStringSubmatch(s); m != nil {
		switch m[1] {
		case "halted":
			o.End = EndPoweroff
		case "crashed":
			o.End = EndCrash
		case "shutdown: rebooting":
			o.End = EndReboot
		case "shutdown: watchdog":
			o.End, o.Reason = EndShutdownOther, 4
		default:
			o.End, o.Reason = EndShutdownOther, 5
		}
	}
}

// stackLine reads one line of the dump; false ends it.
func (p *consoleParser) stackLine(s string) bool {
	o := p.o
	switch {
	case reWords.MatchString(s):
		for _, w := range strings.Fields(s) {
			o.Stack = append(o.Stack, hex(w))
		}
		return true
	case s == "  Fault while accessing guest memory.", s == "    Fault while accessing guest memory.":
		o.StackEnd = StackFault
	case s == "  Guest-inaccessible memory.":
		o.StackEnd = StackInaccessible
	case s == "  Stack empty.":
		o.StackEnd = StackEmpty
	default:
		p.stack = false
		return false
	}
	p.stack = false
	return true
}

func (p *consoleParser) finish() {
	o := p.o
	switch {
	case p.killed:
		o.End = EndKilled
		o.Crash = classify(o, p.entry, p.iret)
	case p.panic && (o.End == EndPoweroff || o.End == EndReboot || o.End == EndUnknown):
		o.End = EndCrash
	}
}

func hex(s string) uint64 {
	n, _ := strconv.ParseUint(s, 16, 64) // the patterns let only digits through
	return n
}
