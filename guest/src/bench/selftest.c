/* selftest.c - exercises what the kernel can do on the platform it runs on. */
#include "selftest.h"

static u32 checks, failures;

void check(bool holds, const char *what)
{
	checks++;
	failures += !holds;
	print("%s: %s\n", what, holds ? "ok" : "FAILED");
}

void cmd_selftest(const char *value)
{
	selftest_exceptions();
	selftest_memory();
	selftest_user();
	selftest_events();
	print("%u checks, %u failed\n", checks, failures);
	print("Test result: %s\n", failures ? "FAILURE" : "SUCCESS");
}
