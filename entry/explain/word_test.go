package explain

import (
	"encoding/json"
	"testing"
)

// Addresses keep all their bits in JSON, whatever reads it.
func TestWordsInJSON(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want string
	}{
		{RegView{Name: "rip", Value: 0xffffffff80101001}, `{"name":"rip","value":"0xffffffff80101001"}`},
		{Place{Addr: 0x1000, Symbol: "f", Offset: 4}, `{"addr":"0x1000","symbol":"f","offset":4}`},
		{Origin{Kind: Slot, Frame: 1, Name: "r11", Changed: 1 << 63}, `{"kind":"slot","frame":1,"name":"r11","changed":"0x8000000000000000"}`},
	} {
		if b, err := json.Marshal(tt.v); err != nil || string(b) != tt.want {
			t.Errorf("%s, %v; want %s", b, err, tt.want)
		}
	}
}
