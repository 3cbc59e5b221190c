/* cmdline.c - the kernel command line: words, each "key" or "key=value". */
#include "bench.h"

static char text[1024];

void cmdline_set(const char *s)
{
	u32 n = 0;

	while (s[n] && n < sizeof(text) - 1) {
		text[n] = s[n];
		n++;
	}
	text[n] = 0;
}

const char *cmdline(void)
{
	return text;
}

const char *cmdline_option(const char *key, char *buf, u64 size)
{
	const char *s = text;

	while (*s) {
		const char *k = key;

		while (*s == ' ')
			s++;
		while (*k && *s == *k)
			s++, k++;
		if (!*k && (*s == '=' || *s == ' ' || !*s)) {
			u64 n = 0;

			if (*s == '=')
				s++;
			while (*s && *s != ' ' && n < size - 1)
				buf[n++] = *s++;
			buf[n] = 0;
			return buf;
		}
		while (*s && *s != ' ')
			s++;
	}
	return NULL;
}

/* Decimal; false if s is not a number. */
bool parse_u64(const char *s, u64 *value)
{
	*value = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		*value = *value * 10 + *s - '0';
	}
	return true;
}
