package bench

import (
	"fmt"
	"time"
)

// Clock is what a load is timed by.
type Clock uint8

// Clocks.
const (
	// Wall is the host's time.
	Wall Clock = iota
	// CPU is the processor time of the process that runs the guest: what to
	// use where other programs run on the machine. Of another process Linux
	// tells it to a timer tick, up to 10 ms: spans should be long.
	CPU
)

// ParseClock reads "wall" or "cpu".
func ParseClock(s string) (Clock, error) {
	switch s {
	case "wall":
		return Wall, nil
	case "cpu":
		return CPU, nil
	}
	return 0, fmt.Errorf("clock %q: want wall or cpu", s)
}

var start = time.Now()

// now is what the clock shows for a process.
func (c Clock) now(pid int) time.Duration {
	if c == CPU {
		if t, ok := processTime(pid); ok {
			return t
		}
	}
	return time.Since(start)
}
