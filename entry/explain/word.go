package explain

import (
	"encoding/json"
	"fmt"
)

// Word is an address or a value of 64 bits. In JSON it is a string of
// hexadecimal digits, "0xffffffff80100000": not every reader of JSON keeps
// integers beyond 2^53.
type Word uint64

// MarshalText gives the form for JSON.
func (w Word) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%#x", uint64(w)), nil }

// MarshalJSON writes the addresses as Words.
func (o Origin) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind    OriginKind `json:"kind"`
		Frame   int        `json:"frame,omitempty"`
		Name    string     `json:"name,omitempty"`
		Maker   Word       `json:"maker,omitempty"`
		Stored  Word       `json:"stored,omitempty"`
		Changed Word       `json:"changed,omitempty"`
	}{o.Kind, o.Frame, o.Name, Word(o.Maker), Word(o.Stored), Word(o.Changed)})
}
