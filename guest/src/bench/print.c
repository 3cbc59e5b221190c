/* print.c - formatted output; a line goes to the console in one piece. */
#include <stdarg.h>
#include "bench.h"

typedef void sink(char c);

static char line[256];
static u32 used;

static void put(char c)
{
	line[used++] = c;
	if (c == '\n' || used == sizeof(line)) {
		console_write(line, used);
		used = 0;
	}
}

static void put_number(sink *put, u64 v, u32 base, u32 width, char fill)
{
	char digits[20];
	u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	for (; width > n; width--)
		put(fill);
	while (n)
		put(digits[--n]);
}

void print_to(sink *put, const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		char fill = ' ';
		u32 width = 0;
		bool wide = false;
		u64 v;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		if (*++fmt == '0')
			fill = *fmt++;
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + *fmt++ - '0';
		if (*fmt == 'l')
			wide = true, fmt++;

		switch (*fmt) {
		case 's':
			for (const char *s = va_arg(ap, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put(va_arg(ap, int));
			break;
		case 'd':
			v = wide ? va_arg(ap, u64) : (u64)va_arg(ap, int);
			if ((long)v < 0) {
				put('-');
				v = -v;
			}
			put_number(put, v, 10, width, fill);
			break;
		case 'u':
			put_number(put, wide ? va_arg(ap, u64) : va_arg(ap, u32), 10, width, fill);
			break;
		case 'x':
			put_number(put, wide ? va_arg(ap, u64) : va_arg(ap, u32), 16, width, fill);
			break;
		default:
			put(*fmt);
		}
	}
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_to(put, fmt, ap);
	va_end(ap);
}
