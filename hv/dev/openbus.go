package dev

// openBus keeps the log short: an access to nothing is told once for each
// port, and for a bounded number of pages.
type openBus struct {
	ports [65536 / 64]uint64
	pages [16]uint64
	n     int
}

func (o *openBus) port(d *Devices, port uint16, what string) {
	bit := uint64(1) << (port & 63)
	if o.ports[port>>6]&bit != 0 {
		return
	}
	o.ports[port>>6] |= bit
	d.cfg.Log.Debug().Uint16("port", port).Msg(what)
}

func (o *openBus) phys(d *Devices, pa uint64, what string) {
	for _, p := range o.pages[:o.n] {
		if p == pa>>12 {
			return
		}
	}
	if o.n == len(o.pages) {
		return
	}
	o.pages[o.n] = pa >> 12
	o.n++
	d.cfg.Log.Debug().Uint64("pa", pa).Msg(what)
}
