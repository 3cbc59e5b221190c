/* tool.c - TOOL: runs the tables of the toolstack's calls. */
#include "tool.h"

u8 tool_data[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

#define STRUCT_WORDS	40	/* more than any of the structures */
#define DATA_WORDS	64	/* of tool_data that are looked at */
static u32 request[STRUCT_WORDS] __attribute__((aligned(16)));

static void put(u8 *p, u32 size, u64 value)
{
	for (; size; size--, value >>= 8)
		*p++ = value;
}

static void append(char *line, u32 *n, u32 room, const char *text)
{
	while (*text && *n + 1 < room)
		line[(*n)++] = *text++;
	line[*n] = 0;
}

static void append_word(char *line, u32 *n, u32 room, const char *where, u32 at, u32 value)
{
	char text[40], *p = text;

	*p++ = ' ';
	while (*where)
		*p++ = *where++;
	for (u32 d = 1000, on = 0; d; d /= 10)
		if (at / d || on || d == 1) {
			*p++ = '0' + at / d % 10;
			on = 1;
		}
	*p++ = '=';
	for (int s = 28, on = 0; s >= 0; s -= 4)
		if (value >> s & 15 || on || !s) {
			*p++ = "0123456789abcdef"[value >> s & 15];
			on = 1;
		}
	*p = 0;
	append(line, n, room, text);
}

void tool_show(const char *what, long result, const u32 *was, const u32 *is, u32 words,
	       u64 hide, u64 hide_data)
{
	char line[400];
	u32 n = 0;

	line[0] = 0;
	for (u32 i = 0; i < words; i++)
		if (was[i] != is[i] && !(hide >> i & 1))
			append_word(line, &n, sizeof(line), "+", 4 * i, is[i]);
	for (u32 i = 0; i < DATA_WORDS; i++)
		if (((u32 *)tool_data)[i] && !(hide_data >> i & 1))
			append_word(line, &n, sizeof(line), "data+", 4 * i, ((u32 *)tool_data)[i]);
	if (result < 0 && result > -200)
		say("%s = -%s%s", what, errno_name(result), line);
	else
		say("%s = %ld%s", what, result, line);
}

void tool_steps(u32 call, u32 version, const struct tool_step *steps, u32 n)
{
	u32 was[STRUCT_WORDS];

	for (u32 i = 0; i < n; i++) {
		const struct tool_step *s = &steps[i];
		long result;

		memset(request, 0, sizeof(request));
		memset(tool_data, 0, sizeof(tool_data));
		request[0] = s->cmd;
		request[1] = version;
		for (u32 k = 0; k < ARRAY_LEN(s->in) && s->in[k].size; k++)
			put((u8 *)request + s->in[k].at, s->in[k].size, s->in[k].value);
		memcpy(was, request, sizeof(was));
		result = call_number(call, (u64)request, 0, 0, 0, 0);
		tool_show(s->what, result, was, request, STRUCT_WORDS, s->hide, s->hide_data);
	}
}
