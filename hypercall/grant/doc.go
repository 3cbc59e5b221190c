// Package grant keeps the grant tables of Xen's domains: the frames that a
// domain shares with Xen and fills with grants, what of them is in use
// (active entries), and the mappings that each domain has made of others'
// grants (maptrack). It does what grant_table_op asks for, on references and
// frames: guest addresses, lists and continuations are the hypercall's.
//
// A grant in use holds references to its page as any mapping does
// (pagetable). Who maps is an Actor: a guest, whose page tables a Mapper
// changes, or a Backend, which stands for domain 0 beside a domU.
//
// Rules GNT-*; source of all of it: xen/common/grant_table.c of Xen 4.17.
package grant
