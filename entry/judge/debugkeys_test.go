package judge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files of testdata/keys are what Xen answered to its debug keys q, e and a
// while a guest was silent.
func TestDebugKeysTellBlockedFromBusy(t *testing.T) {
	for _, c := range []struct {
		log  string
		edit [2]string
		want bool
	}{
		{"blocked", [2]string{}, true},         // SCHEDOP_block, no channel bound
		{"spinning", [2]string{}, false},       // jmp to itself
		{"idle-virq-bound", [2]string{}, true}, // VIRQ_TIMER bound, but no timer runs
		{"idle-virq-bound", [2]string{"No periodic timer", "100 Hz periodic timer (period 10 ms)"}, false},
		{"idle-virq-bound", [2]string{"arch/x86/time.c#plt_overflow", "common/sched/core.c#vcpu_singleshot_timer_fn"}, false},
		{"blocked", [2]string{"arch/x86/time.c#plt_overflow", "common/sched/core.c#poll_timer_fn"}, false},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "keys", c.log+".log"))
		if err != nil {
			t.Fatal(err)
		}
		s := string(text)
		if c.edit[0] != "" {
			if s = strings.Replace(s, c.edit[0], c.edit[1], 1); s == string(text) {
				t.Fatalf("%s: no %q", c.log, c.edit[0])
			}
		}
		var keys debugKeys
		var sent strings.Builder
		for !keys.press(&sent) {
			if keys.stage != keysDomain {
				continue
			}
			for line := range strings.Lines(s) {
				keys.line(strings.TrimSuffix(line, "\n"))
			}
		}
		if keys.blocked() != c.want {
			t.Errorf("%s with %q: blocked %v, want %v", c.log, c.edit[1], keys.blocked(), c.want)
		}
		if want := ctrlA + "qea" + ctrlA; sent.String() != want {
			t.Errorf("%s: sent %q, want %q", c.log, sent.String(), want)
		}
	}
}

// A guest that dies during the questions is not overlooked, and its own lines
// are never taken for an answer.
func TestDebugKeysLeaveTheGuestsLines(t *testing.T) {
	var keys debugKeys
	if keys.line("(XEN) d0v0 Unhandled: vec 3, #BP[ffffffff]") {
		t.Error("a line was taken though nothing was asked")
	}
	keys.press(&strings.Builder{})
	for _, c := range []struct {
		line string
		want bool
	}{
		{"(XEN) *** Serial input to Xen (type 'CTRL-a' three times to switch input)", true},
		{"hello from the guest", false},
		{"(XEN)     pause_count=0 pause_flags=0", true},
		{"(XEN) d0v0 Unhandled: vec 3, #BP[ffffffff]", false},
		{"(XEN) CPU:    0", false},
	} {
		if got := keys.line(c.line); got != c.want {
			t.Errorf("%q: taken %v, want %v", c.line, got, c.want)
		}
	}
}
