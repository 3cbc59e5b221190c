package xenstore

import "strconv"

// Guest is what the toolstack writes about a domain that it starts.
type Guest struct {
	Name      string
	UUID      string
	VCPUs     int
	MemoryKiB uint64
	StoreMFN  uint64
	StorePort uint32
	// ConsoleMFN and ConsolePort are of the console ring.
	ConsoleMFN  uint64
	ConsolePort uint32
	Kernel      string // the file it was loaded from
	Cmdline     string
	Started     uint64 // seconds since 1970
}

// entry is one value of the start content. Paths are relative to the domain's
// own directory unless they begin with a slash.
type entry struct {
	path, data string
	perms      []Perm // nil: as inherited
}

// Start is a store as a domain finds it that xl has created without devices
// (T/libs/light: libxl_create.c:libxl__domain_make, libxl_dom.c:
// libxl__build_post, libxl_console.c:libxl__device_console_add), with the
// entries of domain 0 that it may read. TestStart compares it with a store that
// xl and xenstored have made.
func Start(domain uint32, g Guest, now func() uint64) *Server {
	s := New(domain, now)
	t := s.Tools()
	for _, e := range startEntries(domain, g) {
		err := t.Write(e.path, e.data)
		if err == ok && e.perms != nil {
			err = t.SetPerms(e.path, e.perms...)
		}
		if err != ok {
			panic("xenstore: start content: " + e.path + ": " + string(err)) // a defect here, the domain has no part in it
		}
	}
	return s
}

// startEntries are what is written, in that order: the order of a directory's
// names is that of their creation.
func startEntries(domain uint32, g Guest) []entry {
	id := strconv.FormatUint(uint64(domain), 10)
	home := "/local/domain/" + id
	shown := []Perm{{Domain: 0}, {Domain: domain, Access: CanRead}}
	own := []Perm{{Domain: domain}}
	front := []Perm{{Domain: domain}, {Domain: 0, Access: CanRead}}
	vm, back := "/vm/"+g.UUID, "/local/domain/0/backend/console/"+id+"/0"
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	entries := []entry{
		{"/local/domain/0", "", nil},
		{home, "", shown},
		{vm, "", shown},
		{"vm", vm, nil},
		{"name", g.Name, nil},
		{"cpu", "", shown},
		{"memory", "", shown},
		{"device", "", shown},
		{"device/suspend/event-channel", "", own},
		{"control", "", shown},
		{"control/shutdown", "", own},
		{"control/feature-poweroff", "", own},
		{"control/feature-reboot", "", own},
		{"control/feature-suspend", "", own},
		{"control/sysrq", "", own},
		{"data", "", own},
		{"drivers", "", own},
		{"feature", "", own},
		{"attr", "", own},
		{"error", "", own},
		{vm + "/name", g.Name, nil},
		{vm + "/uuid", g.UUID, nil},
		{"control/platform-feature-multiprocessor-suspend", "1", nil},
		{"control/platform-feature-xs_reset_watches", "1", nil},
		{"memory/static-max", number(g.MemoryKiB), nil},
		{"memory/target", number(g.MemoryKiB), nil},
		{"memory/videoram", "0", nil},
		{"domid", id, nil},
		{"store/port", number(uint64(g.StorePort)), nil},
		{"store/ring-ref", number(g.StoreMFN), nil},
	}
	for v := range g.VCPUs {
		entries = append(entries, entry{"cpu/" + strconv.Itoa(v) + "/availability", "online", nil})
	}
	entries = append(entries,
		entry{vm + "/image/ostype", "linux", nil},
		entry{vm + "/image/kernel", g.Kernel, nil},
		entry{vm + "/start_time", number(g.Started) + ".00", nil})
	if g.Cmdline != "" {
		entries = append(entries, entry{vm + "/image/cmdline", g.Cmdline, nil})
	}
	entries = append(entries,
		entry{"console", "", shown},
		entry{"console/backend", back, nil},
		entry{"console/backend-id", "0", front},
		entry{"console/limit", "1048576", shown},
		entry{"console/type", "xenconsoled", shown},
		entry{"console/output", "pty", shown},
		entry{"console/tty", "/dev/pts/0", shown},
		entry{"console/port", number(uint64(g.ConsolePort)), shown},
		entry{"console/ring-ref", number(g.ConsoleMFN), shown},
		entry{back, "", shown},
		entry{back + "/frontend", home + "/console", nil},
		entry{back + "/frontend-id", id, nil},
		entry{back + "/online", "1", nil},
		entry{back + "/state", "1", nil},
		entry{back + "/protocol", "vt100", nil},
	)
	for i := range entries {
		if e := &entries[i]; e.path[0] != '/' {
			e.path = home + "/" + e.path
		}
	}
	return entries
}
