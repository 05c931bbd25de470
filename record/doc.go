// Package record says what a log record is and how it lies in the payload of a
// ring record: a logger's name, a message and typed fields.
//
// All numbers are little-endian and nothing is aligned. A payload is
//
//	0       2       4               8        8+L        8+L+M
//	├───────┼───────┼───────────────┼─────────┼───────────┼──────────┐
//	│ u16 L │ u16 0 │ u32 M         │ logger  │ message   │ fields … │
//	└───────┴───────┴───────────────┴─────────┴───────────┴──────────┘
//
// and a field, of which any number follow up to the payload's end, is
//
//	0       1       2               4               8        8+K     8+K+V
//	├───────┼───────┼───────────────┼───────────────┼─────────┼─────────┤
//	│ u8 tag│ u8 0  │ u16 K         │ u32 V         │ key     │ value   │
//	└───────┴───────┴───────────────┴───────────────┴─────────┴─────────┘
//
// The field header is the same for every [Tag], so a reader skips a tag it does
// not know. docs/format.md is the authority on these bytes.
//
// Writing has two halves, because a ring's claim must never be held while user
// code runs: [Entry.Prepared] runs it (LogValue, Error, String, MarshalText) and leaves
// plain values, then [Entry.Size] and [Entry.Encode] are pure. Reading trusts
// nothing: [Decode] checks a payload once, in linear time and without copying;
// what it returns can be read without errors.
package record
