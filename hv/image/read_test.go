package image_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"pvlab/hv/image"
	"pvlab/hv/image/elftest"
)

// endless is a file that never ends: the given bytes, then zeros.
type endless struct {
	head []byte
	read int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.head[min(e.read, len(e.head)):])
	clear(b[n:])
	e.read += len(b)
	return len(b), nil
}

// TestReadTakesNoMore: of a file without end, Read takes the kernel, or as
// much as shows that there is none.
func TestReadTakesNoMore(t *testing.T) {
	const limit = 8 << 20
	elf := sample(func(f *elftest.File) { f.Segments[0].Data = make([]byte, 100_000) })
	tests := []struct {
		name string
		head []byte
		want int    // bytes given; 0: an error
		err  string // its text
		most int    // bytes taken from the file
	}{
		{"nothing known", nil, 4096, "", 4096},
		{"ELF", elf, len(elf), "", len(elf)},
		{"small bzImage", bzImage(gz(elf), -1), 4096, "", 4096},
		{"archive", gz(elf), 0, "FILE: gzip: the archive has more than 8388608 bytes", limit + 1},
		{"ELF of the wrong class", append([]byte("\x7fELF\x01\x01"), make([]byte, 58)...), 0, "FILE: e_ident[EI_CLASS]: a 32-bit ELF", 4096},
		{"ELF with far sections", far(elf), 0, "FILE: ELF header: the headers reach to", 4096},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &endless{head: tt.head}
			got, err := image.Read("FILE", in, limit)
			if tt.want == 0 {
				checkError(t, err)
				if !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("error %q, want %q", err, tt.err)
				}
			} else if err != nil || len(got) != tt.want || !bytes.HasPrefix(got, tt.head) {
				t.Errorf("got %d bytes, %v; want %d", len(got), err, tt.want)
			}
			// Reading goes by buffers of a few hundred bytes.
			if in.read > tt.most+bytes.MinRead {
				t.Errorf("took %d bytes from the file, want at most %d", in.read, tt.most)
			}
		})
	}
}

// far moves the section headers beyond any memory.
func far(elf []byte) []byte {
	b := bytes.Clone(elf)
	b[40+4] = 0x7f // e_shoff
	b[60] = 1      // e_shnum
	b[58] = 64     // e_shentsize
	return b
}

// TestReadShort: what is missing at the end is for Load to report, and a
// reader's own error comes with the file's name.
func TestReadShort(t *testing.T) {
	elf := sample(func(*elftest.File) {})
	for n := range elf {
		got, err := image.Read("FILE", bytes.NewReader(elf[:n]), 8<<20)
		if err == nil {
			if !bytes.Equal(got, elf[:n]) {
				t.Fatalf("of %d bytes, Read gave %d", n, len(got))
			}
			_, err = image.Load("FILE", got, 8<<20)
		}
		if err != nil {
			checkError(t, err)
		}
	}
	broken := io.MultiReader(bytes.NewReader(elf[:100]), brokenReader{})
	_, err := image.Read("FILE", broken, 8<<20)
	checkError(t, err)
	if !strings.Contains(err.Error(), errBroken.Error()) {
		t.Errorf("error %q does not say %q", err, errBroken)
	}
}

var errBroken = errors.New("the disk is broken")

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

// TestXZEnd: index and footer of an xz stream are checked, byte for byte.
func TestXZEnd(t *testing.T) {
	elf := sample(func(*elftest.File) {})
	packed := xzPack(elf)
	if _, err := image.Load("FILE", packed, 8<<20); err != nil {
		t.Fatal(err)
	}
	// Index: 00, count, two numbers, padding, CRC; then 12 bytes of footer.
	const end = 12 + 8
	for i := 1; i <= end; i++ {
		for name, bad := range map[string][]byte{
			"cut":     packed[:len(packed)-i],
			"changed": flip(packed, -i),
		} {
			_, err := image.Load("FILE", bad, 8<<20)
			if err == nil {
				t.Errorf("%s at byte %d from the end: accepted", name, i)
				continue
			}
			checkError(t, err)
		}
	}
}
