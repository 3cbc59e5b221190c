package disasm

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestInst names instructions of both kinds: those x86asm knows and those it
// lacks. Expected texts are what objdump 2.40 prints, its padding apart.
func TestInst(t *testing.T) {
	tests := []struct {
		code string
		mode int
		want string
	}{
		{"488b0424", 64, "mov (%rsp),%rax"},
		{"0f01f8", 64, "swapgs"},
		{"48cf", 64, "iretq"},
		{"0f01ca", 64, "clac"},
		{"0f01cb", 64, "stac"},
		{"0f01c1", 64, "vmcall"},
		{"0f01d9", 64, "vmmcall"},
		{"f30f1efa", 64, "endbr64"},
		{"f30f1efb", 32, "endbr32"},
		{"0f07", 64, "sysretl"},
		{"480f07", 64, "sysretq"},
		{"f30fc7f9", 64, "rdpid %ecx"},
		{"480fc7f0", 64, "rdrand %rax"},
		{"410fc7f8", 64, "rdseed %r8d"},
		{"660f38f6c1", 64, "adcx %ecx,%eax"},
		{"f3480f38f60424", 64, "adox (%rsp),%rax"},
		{"f3480f38f60500010000", 64, "adox 0x100(%rip),%rax"},
		{"660fae3c24", 64, "clflushopt (%rsp)"},
		{"f30f09", 64, "wbnoinvd"},
		{"f3", 64, Bad},
		{"0f", 64, Bad},
	}
	for _, tt := range tests {
		code, _ := hex.DecodeString(tt.code)
		got, n := Inst(code, tt.mode, 0x1000, nil)
		got = strings.Join(strings.Fields(got), " ")
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.code, got, tt.want)
		}
		if want := len(code); tt.want != Bad && n != want {
			t.Errorf("%s: length %d, want %d", tt.code, n, want)
		}
	}
}

// TestRandomBytes wants an answer, within the bytes given, for anything.
func TestRandomBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200000 {
		b := make([]byte, rng.IntN(18))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		for _, mode := range []int{16, 32, 64} {
			text, n := Inst(b, mode, 0x1000, nil)
			if n < 0 || n > len(b) || n > 15 || (n == 0) != (text == Bad) {
				t.Fatalf("% x in mode %d: %q, length %d", b, mode, text, n)
			}
		}
	}
}
