package hv

import (
	"math/rand/v2"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/sync"
)

// patience is how long the tests wait for what should come at once.
const patience = 20 * time.Second

func within[T any](t *testing.T, what string, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("%s: not within %v", what, patience)
	}
	return v
}

// TestControlByMany: many goroutines inspect, pause, resume and stop a machine
// that one keeps running; then several close it at once.
func TestControlByMany(t *testing.T) {
	m := observe(t, Config{Platform: Xen, Dom0: true, Cmdline: "spin", Memory: 4 << 20}).Machine
	runs := make(chan int, 1)
	go func() {
		n := 0
		for {
			if _, err := m.Run(1 << 60); err != nil {
				runs <- n
				return
			}
			n++
		}
	}()
	var crowd sync.WaitGroup
	for i := range 8 {
		crowd.Add(1)
		go func() {
			defer crowd.Done()
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for range 40 {
				var err error
				switch rng.IntN(4) {
				case 0:
					var a, b uint64
					err = m.Inspect(func() { a, b = m.Steps(), m.Steps() })
					if a != b {
						t.Errorf("inspected machine went from step %d to %d", a, b)
					}
				case 1:
					err = m.Pause()
				case 2:
					err = m.Resume()
				case 3:
					err = m.Stop()
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	done := make(chan struct{})
	go func() { crowd.Wait(); close(done) }()
	within(t, "the crowd", done)
	closed := make(chan int)
	for range 3 {
		go func() { m.Close(); closed <- 0 }()
	}
	for range 3 {
		within(t, "Close", closed)
	}
	if n := within(t, "the end of Run", runs); n == 0 {
		t.Error("no Run was ever stopped")
	}
}

// listening is a platform whose console could wake the guest.
type listening struct {
	platform
	got chan string
}

func (l listening) listens() bool      { return true }
func (l listening) typed(b []byte) int { l.got <- string(b); return len(b) }

// keyboard is an input source at which nobody may be typing.
type keyboard chan string

func (k keyboard) Poll(uint64) []byte { return nil }
func (k keyboard) Wait() []byte       { return []byte(<-k) }

// TestControlOfASleeper: a machine whose guest waits for somebody to type can
// be inspected, paused and stopped; what is typed later is not lost.
func TestControlOfASleeper(t *testing.T) {
	keys := make(keyboard)
	got := make(chan string, 1)
	m := observe(t, Config{Platform: Native, Cmdline: "idle", Memory: 4 << 20, Input: keys}).Machine
	m.plat = listening{m.plat, got}
	ends := make(chan Result)
	run := func() {
		r, err := m.Run(1 << 60)
		if err != nil {
			t.Error(err)
		}
		ends <- r
	}
	asleep := func() (yes bool) {
		within(t, "Inspect", after(func() {
			if err := m.Inspect(func() { yes = m.asking != nil }); err != nil {
				t.Error(err)
			}
		}))
		return yes
	}

	go run()
	for !asleep() {
	}
	within(t, "Pause", after(func() { m.Pause() }))
	asleep()
	within(t, "Resume", after(func() { m.Resume() }))
	within(t, "Stop", after(func() { m.Stop() }))
	if r := within(t, "the end", ends); r.End != EndStopped {
		t.Errorf("ended %v, want stopped", &r)
	}

	go run() // and waits on for the same keys
	for !asleep() {
	}
	keys <- "abc"
	if s := within(t, "the keys", got); s != "abc" {
		t.Errorf("the guest got %q, want abc", s)
	}
	close(keys) // nobody will type any more
	if r := within(t, "the end", ends); r.End != EndBlocked {
		t.Errorf("ended %v, want blocked", &r)
	}
}

// after calls f and then sends.
func after(f func()) <-chan struct{} {
	ch := make(chan struct{}, 1)
	go func() { f(); ch <- struct{}{} }()
	return ch
}
