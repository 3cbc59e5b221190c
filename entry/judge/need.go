package judge

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// RequireVar names the environment variable that lists the tools whose absence
// is a failure: any of xen, qemu, cc, xenguest, xenstored, with
// commas between.
const RequireVar = "PVLAB_REQUIRE"

// Required tells whether the tool must be on this machine.
func Required(tool string) bool {
	for _, t := range strings.Split(os.Getenv(RequireVar), ",") {
		if strings.TrimSpace(t) == tool {
			return true
		}
	}
	return false
}

// Need returns nil if the tool (xen, qemu, cc, xenguest, xenstored) is here, and otherwise
// the error that says how to install it.
func Need(tool string) error {
	xen, qemu := Available()
	switch tool {
	case "xen":
		return xen
	case "qemu":
		return qemu
	case "cc":
		if _, err := exec.LookPath("cc"); err != nil {
			return &Missing{Tool: "cc", What: "no C compiler (cc) on this machine",
				Install: "apt-get install -y --no-install-recommends gcc libc6-dev"}
		}
		return nil
	case "xenguest": // the toolstack's library for building a domain
		if _, err := os.Stat("/usr/include/xenguest.h"); err != nil {
			return &Missing{Tool: "xenguest", What: "no libxenguest headers on this machine",
				Install: "apt-get install -y --no-install-recommends libxen-dev"}
		}
		return nil
	case "xenstored": // the daemon, and headers for what stands in for Xen
		for _, path := range []string{Xenstored(), "/usr/include/xenctrl.h"} {
			if _, err := os.Stat(path); err != nil {
				return &Missing{Tool: "xenstored", What: "no C xenstored, or no headers for it, on this machine",
					Install: "apt-get install -y --no-install-recommends xen-utils-4.17 libxen-dev"}
			}
		}
		return nil
	}
	return fmt.Errorf("judge: no tool %q", tool)
}

// Xenstored is the path of the daemon: $PVLAB_XENSTORED, or where Debian has it.
func Xenstored() string {
	if path := os.Getenv("PVLAB_XENSTORED"); path != "" {
		return path
	}
	return "/usr/lib/xen-4.17/bin/xenstored"
}

// TB is as much of testing.TB as Require needs.
type TB interface {
	Helper()
	Skip(args ...any)
	Fatal(args ...any)
}

// Require ends a test that cannot run for want of a tool: as failed if
// PVLAB_REQUIRE lists the tool, else as skipped with the reason.
func Require(t TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		err := Need(tool)
		if err == nil {
			continue
		}
		var missing *Missing
		if Required(tool) || !errors.As(err, &missing) {
			t.Fatal(RequireVar+" asks for "+tool+":", err)
		}
		t.Skip("not run:", err)
	}
}
