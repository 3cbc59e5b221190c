package explain

import (
	"strings"
	"testing"

	"pvlab/entry"
)

func drawnFrame(names []string, values []uint64, top uint64, user bool) *entry.Frame {
	f := &entry.Frame{Vector: 14, Kind: "exception", At: top - 8*uint64(len(names)), StackTop: top, FromUser: user}
	for i, n := range names {
		f.Slots = append(f.Slots, entry.Slot{Name: n, Addr: f.At + 8*uint64(i), Value: values[i]})
	}
	return f
}

// Rows are the words of both frames, equal names side by side, addresses
// descending, with rsp at the lowest word of each.
func TestDrawFrame(t *testing.T) {
	nat := drawnFrame(natSlotsCode, []uint64{2, 0x1000, 0x10, 0x46, 0x7000, 0x18}, 0x7000, false)
	xen := drawnFrame(xenSlotsCode, []uint64{0xc, 0xb, 2, 0x1000, 1<<32 | 0xe030, 0x46, 0x8000, 0xe02b}, 0x8000, false)
	text := DrawFrame(nat, xen)
	var rows [][]string
	for _, l := range strings.Split(text, "\n") {
		if len(l) > columns {
			t.Errorf("%d columns: %q", len(l), l)
		}
		if f := strings.Fields(l); len(f) > 3 && (strings.HasPrefix(f[0], "0000") || f[0] == "-") {
			rows = append(rows, f)
		}
	}
	want := []string{
		"0000000000006ff8 ss 0000000000000018 0000000000007ff8 ss 000000000000e02b",
		"0000000000006ff0 rsp 0000000000007000 0000000000007ff0 rsp 0000000000008000",
		"0000000000006fe8 rflags 0000000000000046 0000000000007fe8 rflags 0000000000000046",
		"0000000000006fe0 cs 0000000000000010 0000000000007fe0 cs 000000010000e030",
		"0000000000006fd8 rip 0000000000001000 0000000000007fd8 rip 0000000000001000",
		"0000000000006fd0 error 0000000000000002 <rsp 0000000000007fd0 error 0000000000000002",
		"- 0000000000007fc8 r11 000000000000000b",
		"- 0000000000007fc0 rcx 000000000000000c <rsp",
	}
	for i, w := range want {
		if i >= len(rows) || strings.Join(rows[i], " ") != w {
			t.Errorf("row %d: %q, want %q", i, rows[i], w)
		}
	}
	for _, w := range []string{"FRAME-01", "FRAME-02", "upcall mask as it was before: 1", "FRAME-06", "pop %rcx; pop %r11"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), w) {
			t.Errorf("the notes do not speak of %q", w)
		}
	}
}

func TestDrawFrameOfOnePlatform(t *testing.T) {
	nat := drawnFrame(natSlots, []uint64{0x1000, 0x10, 0x46, 0x7000, 0x18}, 0x7000, true)
	if text := DrawFrame(nat, nil); !strings.Contains(text, "bare metal") || strings.Contains(text, "Xen") {
		t.Errorf("a drawing of bare metal speaks of Xen:\n%s", text)
	}
	xen := drawnFrame(xenSlots, []uint64{0xc, 0xb, 0x1000, 0xe033, 0x246, 0x8000, 0xe02b}, 0x8000, true)
	if text := DrawFrame(nil, xen); strings.Contains(text, "bare metal") || !strings.Contains(text, "user code was interrupted") {
		t.Errorf("a drawing of Xen:\n%s", text)
	}
	if DrawFrame(nil, nil) != "" {
		t.Error("nothing drawn as something")
	}
}
