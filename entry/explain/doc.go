// Package explain derives why an entry sequence killed a guest, or let it
// live on corrupted. It never guesses from values: it follows the data.
//
// The flow: a Tracker is told every instruction of the run (Before, After) and
// every frame that was delivered (Delivered). It keeps, for each 8-byte word
// of guest memory and each general register, an Origin: which slot of which
// frame, which instruction, which register of the interrupted code it came
// from. At every return it looks up the origins of the words that are
// consumed (Return). Diagnose picks the first thing that went wrong; what came
// after is consequence. Explanation is the result as data, Text as prose.
// Record drives all this over an hv.Machine by running it a second time.
//
// It knows rules by their ids (rules.txt); the rules themselves are applied
// elsewhere.
package explain
