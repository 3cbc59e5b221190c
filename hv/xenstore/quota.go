package xenstore

// Quotas of a domain, as the daemon starts with them
// (T/xenstored_core.c). Domain 0 has none.
const (
	quotaEntries      = 1000
	quotaWatches      = 128  // one more is let in
	quotaEntrySize    = 2048 // bytes of a node's record, itself refused
	quotaTransactions = 10   // one more is let in
	quotaPerms        = 5
	quotaTxNodes      = 1024
	quotaOutstanding  = 20      // requests whose answers are not all in the ring
	quotaMemory       = 5 << 19 // 2.5 MiB: from here on the daemon takes nothing
	eventTimeout      = 20e9    // ns after which an event is given up
)
