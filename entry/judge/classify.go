package judge

import "strings"

// Where Xen 4.17.7 (Debian) reports a bad stack and a null handler inside
// create_bounce_frame: the two have the same text but for this offset.
// Measured; another build has other ones, then the registers decide.
const (
	bounceBadStack   = "create_bounce_frame+0x4e/0x177"  // CRASH-01
	bounceNoHandler  = "create_bounce_frame+0x14f/0x177" // CRASH-02
	bounceStoreFault = "domain_crash_page_fault_"        // CRASH-03
)

// The part of the address space in which a frame is refused (FRAME-15).
const (
	holeStart = 0xffff800000000000
	holeEnd   = 0xffff880000000040
)

// classify names the death by the rules of section 11 of the rule book. symbol
// is what Xen's domain_crash_sync line names, message the line that came from C.
// "" means that Xen killed the domain for a reason the rules do not list.
func classify(o *Outcome, symbol, message string) string {
	switch {
	case strings.HasSuffix(message, msgIretUnreadable):
		return "CRASH-04"
	case strings.HasSuffix(message, msgNoUserTables):
		return "CRASH-05"
	case strings.HasSuffix(message, msgFailsafe):
		return "CRASH-06"
	case strings.Contains(message, msgL1TF):
		return "CRASH-09"
	case strings.Contains(symbol, bounceStoreFault):
		return "CRASH-03"
	case strings.HasSuffix(symbol, bounceBadStack):
		return "CRASH-01"
	case strings.HasSuffix(symbol, bounceNoHandler):
		return "CRASH-02"
	case strings.Contains(symbol, "create_bounce_frame+"):
		// A null handler is reported with the frame already built and readable.
		if o.Regs != nil && o.Regs.RSP&^15 > holeStart && o.Regs.RSP&^15 < holeEnd {
			return "CRASH-01"
		}
		return "CRASH-02"
	}
	return ""
}
