// Package x86 holds processor facts: vectors, flag bits, selectors, control
// register bits, MSR numbers, descriptors and the Fault value. It has no
// behaviour and imports nothing of pvlab.
//
// Sources: Intel SDM volumes 1-4 (order numbers change, section titles do
// not) and AMD APM volumes 2 and 3.
package x86
