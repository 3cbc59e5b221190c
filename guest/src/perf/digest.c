/* digest.c - CRC-32 by table (ISO 3309, as in Ethernet) and SHA-256 (FIPS 180-4)
   in integer code. */
#include "perf.h"

#define BYTES	4096
static u8 bytes[BYTES];
static u32 crc_table[256];

static void bytes_prepare(void)
{
	u64 x = 42;

	for (u32 i = 0; i < BYTES; i++)
		bytes[i] = x = xorshift(x);
}

static void crc_prepare(void)
{
	bytes_prepare();
	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (u32 k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
		crc_table[i] = c;
	}
}

/* A round is the CRC of 4 KiB. */
static u64 crc_run(u64 n)
{
	u32 c = 0;

	while (n--) {
		c = ~0u;
		for (u32 i = 0; i < BYTES; i++)
			c = crc_table[(u8)(c ^ bytes[i])] ^ c >> 8;
		barrier();
	}
	return ~c;
}

static const u32 sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline u32 rotr(u32 x, u32 n) { return x >> n | x << (32 - n); }

static __attribute__((noinline)) void sha_block(u32 h[8], const u8 *p)
{
	u32 w[64], s[8];

	for (u32 i = 0; i < 16; i++)
		w[i] = __builtin_bswap32(((const u32 *)p)[i]);
	for (u32 i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10);
	for (u32 i = 0; i < 8; i++)
		s[i] = h[i];
	for (u32 i = 0; i < 64; i++) {
		u32 a = s[0], e = s[4];
		u32 t1 = s[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
			 ((e & s[5]) ^ (~e & s[6])) + sha_k[i] + w[i];
		u32 t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
			 ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6], s[6] = s[5], s[5] = e, s[4] = s[3] + t1;
		s[3] = s[2], s[2] = s[1], s[1] = a, s[0] = t1 + t2;
	}
	for (u32 i = 0; i < 8; i++)
		h[i] += s[i];
}

/* A round is the digest of 4 KiB but for the padding: 64 blocks. */
static u64 sha_run(u64 n)
{
	u32 h[8] = {};

	while (n--) {
		static const u32 start[8] = {
			0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
		};

		for (u32 i = 0; i < 8; i++)
			h[i] = start[i];
		for (u32 i = 0; i < BYTES; i += 64)
			sha_block(h, bytes + i);
	}
	return (u64)h[0] << 32 | h[7];
}

const struct load digest_loads[] = {
	{ "crc32", crc_run, crc_prepare },
	{ "sha256", sha_run, bytes_prepare },
	{}
};
