package hypercall

import "pvlab/hypercall/abi"

// cpuPool: {op, cpupool_id, sched_id, domid, cpu, n_dom u32, cpumap bitmap at
// 32}. There is pool 0 with all processors and all domains
// (C/sched/cpupool.c:cpupool_do_sysctl).
func cpuPool(c *Caller) (uint64, error) {
	const (
		create = iota + 1
		destroy
		info
		addCPU
		rmCPU
		moveDomain
		freeInfo
		anything = 1<<32 - 1
	)
	r := &c.req
	op, id, sched, cpu := r.u32(8), r.u32(12), r.u32(16), r.u32(24)
	inPool := op == destroy || op == info || op == addCPU || op == rmCPU
	switch {
	case inPool && id != 0:
		return ret(abi.ENOENT)
	case op == create:
		switch {
		case id == 0:
			return ret(abi.EEXIST)
		case sched != abi.SchedulerCredit && sched != abi.SchedulerCredit2:
			return ret(abi.ENOENT)
		}
		return c.loud("create")
	case op == destroy:
		return ret(abi.EBUSY)
	case op == info:
		r.put32(16, abi.SchedulerCredit2)
		r.put32(28, 1)
		if err := c.bitmapOut(32, ^uint64(0), c.cpus()); err != 0 {
			return ret(err)
		}
	case op == addCPU:
		if cpu >= c.cpus() && cpu != anything {
			return ret(abi.EINVAL)
		}
		return ret(abi.ENODEV) // none is free
	case op == rmCPU:
		if cpu == anything {
			cpu = c.cpus() - 1
		}
		if cpu == 0 || cpu >= c.cpus() {
			return ret(abi.EINVAL)
		}
		return c.loud("rmcpu")
	case op == moveDomain:
		if uint16(r.u32(20)) == c.D.ID {
			return ret(abi.EPERM)
		}
		return ret(abi.ESRCH)
	case op == freeInfo:
		if err := c.bitmapOut(32, 0, c.cpus()); err != 0 {
			return ret(err)
		}
	default:
		return ret(abi.ENOSYS)
	}
	return ret(c.back(0, r.size))
}
