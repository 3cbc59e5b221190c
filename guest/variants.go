package guest

// User is the name of the variant whose stubs are not in the image: whoever links
// a user's object into user_stub_area also fills user_stub_table.
const User = "user"

// Vectors lists the vectors that a variant is applied to, #PF, #BP, #DB and #GP,
// in the order of the image's tables (user_stub_table, struct variant).
func Vectors() []string { return []string{"pf", "bp", "db", "gp"} }

// Origins lists the modes in which the trapping instruction runs.
func Origins() []string { return []string{"kernel", "user"} }

// VectorNumber is the vector's number, or -1 for an unknown name.
func VectorNumber(vector string) int {
	switch vector {
	case "pf":
		return 14
	case "bp":
		return 3
	case "db":
		return 1
	case "gp":
		return 13
	}
	return -1
}

// CellCommandLine is the kernel command line by which the bench image runs one
// cell: that variant on that vector, entered from that origin.
func CellCommandLine(variant, vector, origin string) string {
	return "cell=" + variant + ":" + vector + ":" + origin
}

// StubSymbol is the image's symbol of a variant's stub for one platform ("xen"
// or "native") and vector. Its value is 0 where the variant has no handler.
func StubSymbol(variant, platform, vector string) string {
	return variant + "_" + platform + "_" + vector
}

// Variant is one form of entry stub.
type Variant struct {
	Name  string // as on the command line and in the symbols
	Title string // for a table, at most 34 characters
	What  string // one sentence
}

// Variants lists the entry stubs of the bench image, the plain native one first.
func Variants() []Variant {
	return []Variant{
		{"native", "native stub, iretq",
			"The stub of an operating system on bare metal, which takes the stack as the processor leaves it and returns by iretq."},
		{"retq16", "helper call, retq $0x10",
			"Calls a helper that loads rcx and r11 from the stack and removes both words by the way it returns."},
		{"poppop", "pop rcx, pop r11",
			"Takes the two extra words that Xen puts on the stack, rcx and r11, off by two pops."},
		{"adjtwice", "adjusted twice",
			"Takes off the two extra words and then, once more, the two words that follow."},
		{"bareiretq", "adjusted, bare iretq",
			"Takes off the two extra words, but returns by the processor's iretq instead of asking Xen."},
		{"bareiretq3", "adjusted, RPL 3, bare iretq",
			"Repairs the saved code segment to ring 3 and then returns by iretq, as Xen's header suggests for returns within the kernel."},
		{"noerrcode", "error code not dropped",
			"Leaves the error code on the stack when it returns, so that everything is read one word off; vectors without one are handled well."},
		{"extradrop", "one word dropped too many",
			"Drops one word more than the error code before it returns, losing the saved instruction pointer."},
		{"pushpop", "push/pop rax before adjusting",
			"Pushes and pops rax before it takes off the two extra words."},
		{"twocalls", "two empty calls before adjusting",
			"Calls an empty function twice before it takes off the two extra words."},
		{"chain", "chains, both words pushed back",
			"Takes the two words off, puts them back in place, and hands the trap on to the kernel's own handler."},
		{"chainnopush", "chains, words not pushed back",
			"Takes the two words off and hands the trap on to the kernel's own handler, which takes off two more."},
		{"chainswapped", "chains, words pushed back swapped",
			"Puts the two words back in the wrong order before it hands the trap on to the kernel's own handler."},
		{"swapgs", "adjusted, swapgs if from user",
			"Takes off the two extra words, and exchanges the GS bases as a native kernel does when user code was interrupted."},
		{"badstack", "handler stack not mapped",
			"A correct stub, but the stack that the frame has to be written to is not mapped."},
		{"unregistered", "no handler registered",
			"Nobody has registered a handler for the vector."},
		{"auto", "detects its platform",
			"One stub for both platforms: it looks at the ring it runs in, and adjusts and returns accordingly."},
		{"vgcf", "returns with VGCF_in_syscall",
			"Adjusts as the platform wants, but tells Xen that a system call ends, so that rcx and r11 need not be given back."},
	}
}
