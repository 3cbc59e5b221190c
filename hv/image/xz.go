package image

import (
	"io"

	"github.com/therootcompany/xz"
)

// openXZ reads one stream, with the x86 filter that Linux packs with; index,
// footer and checks are the library's to look at.
func openXZ(packed io.Reader) (io.Reader, error) {
	x, err := xz.NewReader(packed, maxWindow)
	if err != nil {
		return nil, err
	}
	x.Multistream(false)
	return x, nil
}
