package hypercall

import (
	"os"
	"testing"
)

// TestDocument: docs/hypercalls.md is the table.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../docs/hypercalls.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != Markdown() {
		t.Error("docs/hypercalls.md is not what the table says: go generate ./hypercall")
	}
}
