package dev

import "time"

// Motorola MC146818A data sheet: clock and CMOS memory. Its time is
// Config.Epoch plus virtual time, so that two runs read the same.

// Registers. The century's place is what the FADT of this machine names.
const (
	rtcSeconds    = 0x00
	rtcAlarmSec   = 0x01
	rtcMinutes    = 0x02
	rtcAlarmMin   = 0x03
	rtcHours      = 0x04
	rtcAlarmHour  = 0x05
	rtcWeekday    = 0x06
	rtcDay        = 0x07
	rtcMonth      = 0x08
	rtcYear       = 0x09
	rtcA          = 0x0a
	rtcB          = 0x0b
	rtcC          = 0x0c
	rtcD          = 0x0d
	rtcCentury    = 0x32
	rtcUpdating   = 1 << 7 // A: the time changes within 244 us
	rtcSet        = 1 << 7 // B: the clock stands
	rtcInterrupts = 7 << 4 // B: periodic, alarm, update-ended
	rtcBinary     = 1 << 2 // B: no BCD
	rtc24Hours    = 1 << 1 // B
	rtcUpdated    = 1 << 4 // C: a second has ended
	rtcValid      = 1 << 7 // D: the battery is good

	rtcUpdateTime = 244_000 // ns
)

// RTCState is the clock and its 128 bytes.
type RTCState struct {
	Index  uint8
	Offset int64     // seconds to add to Config.Epoch and virtual time
	CMOS   [128]byte // time registers hold values only while the clock stands
	Seen   uint64    // virtual second of the last read of register C
}

type rtc struct {
	d *Devices
	RTCState
}

func (r *rtc) reset() {
	r.CMOS[rtcA] = 0x26 // 32768 Hz, periodic rate 1024 Hz
	r.CMOS[rtcB] = rtc24Hours
	r.CMOS[rtcD] = rtcValid
}

// clock is the time that the registers show.
func (r *rtc) clock() time.Time {
	return time.Unix(r.d.cfg.Epoch+r.Offset+int64(r.d.now/nsPerSecond), 0).UTC()
}

// isTime reports whether a register is part of date and time.
func isTime(i uint8) bool {
	return i == rtcSeconds || i == rtcMinutes || i == rtcHours || i >= rtcWeekday && i <= rtcYear || i == rtcCentury
}

// encode is a number as register B wants it.
func (r *rtc) encode(n int) uint8 {
	if r.CMOS[rtcB]&rtcBinary != 0 {
		return uint8(n)
	}
	return uint8(n/10%10<<4 | n%10)
}

func (r *rtc) decode(v uint8) int {
	if r.CMOS[rtcB]&rtcBinary != 0 {
		return int(v)
	}
	return int(v>>4)*10 + int(v&0xf)
}

// field is a time register at t.
func (r *rtc) field(i uint8, t time.Time) uint8 {
	switch i {
	case rtcSeconds:
		return r.encode(t.Second())
	case rtcMinutes:
		return r.encode(t.Minute())
	case rtcHours:
		if r.CMOS[rtcB]&rtc24Hours != 0 {
			return r.encode(t.Hour())
		}
		h := r.encode((t.Hour()+11)%12 + 1)
		if t.Hour() >= 12 {
			h |= 0x80
		}
		return h
	case rtcWeekday: // 1 is Sunday
		return r.encode(int(t.Weekday()) + 1)
	case rtcDay:
		return r.encode(t.Day())
	case rtcMonth:
		return r.encode(int(t.Month()))
	case rtcYear:
		return r.encode(t.Year() % 100)
	}
	return r.encode(t.Year() / 100)
}

// freeze copies the time into the registers; thaw sets the clock from them.
func (r *rtc) freeze() {
	t := r.clock()
	for i := uint8(0); i <= rtcCentury; i++ {
		if isTime(i) {
			r.CMOS[i] = r.field(i, t)
		}
	}
}

func (r *rtc) thaw() {
	h := r.decode(r.CMOS[rtcHours] & 0x7f)
	if r.CMOS[rtcB]&rtc24Hours == 0 {
		h %= 12
		if r.CMOS[rtcHours]&0x80 != 0 {
			h += 12
		}
	}
	year := r.decode(r.CMOS[rtcCentury])*100 + r.decode(r.CMOS[rtcYear])
	t := time.Date(year, time.Month(r.decode(r.CMOS[rtcMonth])), r.decode(r.CMOS[rtcDay]),
		h, r.decode(r.CMOS[rtcMinutes]), r.decode(r.CMOS[rtcSeconds]), 0, time.UTC)
	r.Offset += t.Unix() - r.clock().Unix()
}

func (r *rtc) stands() bool { return r.CMOS[rtcB]&rtcSet != 0 }

func (r *rtc) in(port uint16, _ int) uint32 {
	if port == 0x70 {
		return 0xff // write-only
	}
	i := r.Index
	switch {
	case isTime(i) && !r.stands():
		return uint32(r.field(i, r.clock()))
	case i == rtcA:
		v := r.CMOS[rtcA]
		if !r.stands() && r.d.now%nsPerSecond >= nsPerSecond-rtcUpdateTime {
			v |= rtcUpdating
		}
		return uint32(v)
	case i == rtcC:
		s := r.d.now / nsPerSecond
		ended := s != r.Seen && !r.stands()
		r.Seen = s
		if ended {
			return rtcUpdated
		}
		return 0
	}
	return uint32(r.CMOS[i])
}

func (r *rtc) out(port uint16, _ int, value uint32) {
	v := uint8(value)
	if port == 0x70 {
		// Bit 7 gates NMI sources, of which this machine has none.
		r.Index = v & 0x7f
		return
	}
	switch i := r.Index; {
	case i == rtcC || i == rtcD: // read-only
	case i == rtcA:
		r.CMOS[i] = v &^ rtcUpdating
	case i == rtcB:
		r.setB(v)
	case isTime(i) && !r.stands():
		r.freeze()
		r.CMOS[i] = v
		r.thaw()
	default:
		r.CMOS[i] = v
	}
}

func (r *rtc) setB(v uint8) {
	if v&rtcInterrupts != 0 {
		r.d.unmodelled("interrupts of the real-time clock (register B = %#x)", v)
	}
	was := r.stands()
	if was && v&rtcSet == 0 {
		r.thaw()
	}
	r.CMOS[rtcB] = v
	if !was && r.stands() {
		r.freeze()
	}
}
