// Package xenstore is the store of a domain's names and values and the daemon
// in front of it, as the domain sees them through its ring page: C xenstored
// as Debian's Xen 4.17 has it (T/xenstore: xenstored_core.c,
// xenstored_domain.c, xenstored_transaction.c, xenstored_watch.c). It knows no
// hypervisor: it is given the page when the domain has raised its event, and
// says whether the domain is to be told.
//
// One domain is connected, domain 0's tools write from inside (Tools).
//
//	page -> ring -> connection (messages in, replies and events out)
//	     -> request -> tree (nodes, permissions, quotas) and transactions
//	     -> watches -> events
package xenstore
