package image_test

import (
	"bytes"
	"strings"
	"testing"

	"pvlab/entry/judge"
	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
	"pvlab/hypercall/abi"
)

// TestXenRefusesWhatWeRefuse: an image whose notes break BOOT-01, BOOT-02 or
// BOOT-03 gets no further than Xen's builder, there as here. Such a kernel
// never runs, so it cannot show these rules itself.
func TestXenRefusesWhatWeRefuse(t *testing.T) {
	judge.Require(t, "xen", "qemu")
	num, str := elftest.Num, elftest.Str
	for _, c := range []struct {
		name string
		raw  []byte
		says string // Xen, on its console; "" while it takes the image
	}{
		{"as it should be", withNote(str(abi.ELFNoteLoader, "generic")), ""},
		{"BOOT-01: loader by prefix", withNote(str(abi.ELFNoteLoader, "generic-2")), ""},
		{"BOOT-01: another loader", withNote(str(abi.ELFNoteLoader, "grub")), "ERROR: Will only load images built for the generic loader or Linux images"},
		{"BOOT-01: another Xen", withNote(str(abi.ELFNoteXenVersion, "xen-4.0")), "ERROR: Xen will only load images built for Xen v3.0"},
		{"BOOT-02: entry below the image", withNote(num(abi.ELFNoteEntry, entry-1)), "ERROR: ELF start or entries are out of bounds"},
		{"BOOT-02: entry behind the image", withNote(num(abi.ELFNoteEntry, entry+0x4001)), "ERROR: ELF start or entries are out of bounds"},
		{"BOOT-02: p2m list inside the image", withNote(num(abi.ELFNoteInitP2M, entry)), "ERROR: P->M table base is out of bounds"},
		{"BOOT-03: hypercall page not mapped", withNote(num(abi.ELFNoteHypercallPage, 0x1000)), "Invalid HYPERCALL_PAGE field in ELF notes."},
	} {
		t.Run(c.name, func(t *testing.T) {
			console := bootXen(t, c.raw, "", nil, 256)
			refused := bytes.Contains(console, []byte("Panic on CPU 0"))
			if refused != (c.says != "") || !strings.Contains(string(console), c.says) {
				t.Errorf("Xen refused: %v; its console should have %q:\n%.3000s", refused, c.says, console[max(0, len(console)-3000):])
			}
			img, err := image.Load("FILE", c.raw, guestMem)
			if err == nil {
				err = img.CanXen()
			}
			if err == nil {
				_, err = image.LayoutPV(256<<8, img, image.PVOptions{Dom0: true})
			}
			if (err != nil) != (c.says != "") {
				t.Errorf("the model: %v", err)
			}
		})
	}
}
