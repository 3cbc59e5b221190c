package dom

import (
	"fmt"

	"pvlab/hv/probe"
	"pvlab/hypercall/abi"
)

// Shutdown ends the domain with a reason, unless one was latched before
// (EVT-09; C/domain.c:domain_shutdown). It prints what Xen prints when the
// hardware domain goes.
func (d *Domain) Shutdown(reason uint8) {
	if d.ShutCode == noShutdown {
		d.ShutCode = reason
	}
	reason = d.ShutCode
	if d.ShutDown {
		return
	}
	d.ShutDown, d.ShutReason = true, reason
	if d.Privileged {
		d.Print(hardwareShutdown(d.ID, reason))
	}
}

// PowerOff switches the machine off at the hardware domain's order to enter
// ACPI's S5 (X/acpi/power.c:enter_state).
func (d *Domain) PowerOff() {
	for _, line := range [...]string{"Preparing system for ACPI S5 state.", "Disabling non-boot CPUs ...", "Entering ACPI S5 state."} {
		d.Print(line)
	}
	d.ShutDown, d.ShutReason = true, abi.ShutdownPoweroff
}

// LatchShutdown is SCHEDOP_shutdown_code: the first code wins.
func (d *Domain) LatchShutdown(reason uint8) {
	if d.ShutCode == noShutdown {
		d.ShutCode = reason
	}
}

// hardwareShutdown is the last line of a machine whose dom0 is gone
// (C/shutdown.c:hwdom_shutdown).
func hardwareShutdown(id uint16, reason uint8) string {
	const rebootSoon = "rebooting machine in 5 seconds."
	switch reason {
	case abi.ShutdownPoweroff:
		return fmt.Sprintf("Hardware Dom%d halted: halting machine", id)
	case abi.ShutdownReboot:
		return fmt.Sprintf("Hardware Dom%d shutdown: rebooting machine", id)
	case abi.ShutdownCrash:
		return fmt.Sprintf("Hardware Dom%d crashed: %s", id, rebootSoon)
	case abi.ShutdownWatchdog:
		return fmt.Sprintf("Hardware Dom%d shutdown: watchdog rebooting machine", id)
	case abi.ShutdownSoftReset:
		return fmt.Sprintf("Hardware domain %d did unsupported soft reset, rebooting.", id)
	}
	return fmt.Sprintf("Hardware Dom%d shutdown (unknown reason %d): %s", id, reason, rebootSoon)
}

func (d *Domain) watchdogFired(i int) {
	d.Print(fmt.Sprintf("Watchdog timer %d fired for d%d", i, d.ID))
	if to := d.Probes.Death; len(to) != 0 {
		probe.Fire(to, &probe.Death{Rule: "CRASH-12", Text: "watchdog"})
	}
	d.Shutdown(abi.ShutdownWatchdog)
}
