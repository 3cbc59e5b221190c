package hv

// Clock is virtual time. It advances with retired instructions by a fixed
// ratio and jumps ahead when every vCPU waits.
type Clock struct {
	Steps uint64 // retired instructions of all vCPUs
	Jumps uint64 // nanoseconds skipped while idle
	Ratio uint64 // nanoseconds for 1024 steps
}

// Now is nanoseconds since the machine started.
func (k *Clock) Now() uint64 {
	return k.Steps/1024*k.Ratio + k.Steps%1024*k.Ratio/1024 + k.Jumps
}

// StepsUntil is how many steps may run before time t is reached: at least
// one, so that time always moves.
func (k *Clock) StepsUntil(t uint64) uint64 {
	now := k.Now()
	if t <= now {
		return 1
	}
	ns := t - now
	if ns > 1<<50 {
		return 1 << 40
	}
	return max(1, ns*1024/k.Ratio)
}

// JumpTo skips idle time.
func (k *Clock) JumpTo(t uint64) {
	if now := k.Now(); t > now {
		k.Jumps += t - now
	}
}
