package image

import (
	"math"
	"sort"

	"pvlab/hv/mem"
)

// MaxRamdisk is the largest ramdisk, in bytes, that a PV domain with memory bytes
// has room for beside img and what is built for it. A ramdisk that the builder
// unpacks needs room for its content.
func MaxRamdisk(memory uint64, img *Image, dom0 bool) uint64 {
	nrPages := memory / mem.PageSize
	pages := sort.Search(int(min(nrPages, math.MaxInt32)), func(n int) bool {
		_, err := layoutPV(nrPages, nil, img, dom0, uint64(n+1)*mem.PageSize)
		return err != nil
	})
	return uint64(pages) * mem.PageSize
}

// MaxRamdiskPVH is the same of a machine with memory bytes that img enters by
// PVH.
func MaxRamdiskPVH(memory uint64, img *Image) uint64 {
	_, end := img.Bounds()
	room := memory - min(memory, initrdGap+1)
	return room - min(room, pageUp(end))
}
